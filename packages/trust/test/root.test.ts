import { describe, expect, it } from "vitest";
import {
  canonicalJson,
  createRoot,
  type Envelope,
  formatExpiry,
  generateKeyPair,
  isExpired,
  type Root,
  signEnvelope,
  verifyEnvelope,
  verifyRoot,
} from "../src/index.ts";

const expires = "2027-01-31T12:00:00Z";
const a = generateKeyPair();
const b = generateKeyPair();
const c = generateKeyPair();
const operator = generateKeyPair();
const second = generateKeyPair();
const stranger = generateKeyPair();

const code = (name: string, message = "") =>
  expect.objectContaining({ code: name, message: expect.stringContaining(message) });

const envelope = createRoot({
  rootKeys: [a, b, c],
  rootThreshold: 2,
  assignmentKeys: [operator.publicKey, second.publicKey],
  expires,
});
const root = verifyRoot(envelope);

/** The root with some members exchanged, signed anew by its own keys. */
const resigned = (change: object): Envelope<object> =>
  signEnvelope({ ...envelope.signed, ...change }, [a, b, c]);

describe("a root", () => {
  it("is read from an object, from text, and from bytes", () => {
    const text = JSON.stringify(envelope);
    expect(verifyRoot(text)).toEqual(envelope.signed);
    expect(verifyRoot(Buffer.from(text))).toEqual(envelope.signed);
    expect(root).toEqual({
      _type: "root",
      spec_version: "1.0.31",
      version: 1,
      expires,
      consistent_snapshot: true,
      keys: Object.fromEntries(
        [a, b, c, operator, second].map(({ keyId, publicKey }) => [keyId, publicKey]),
      ),
      roles: {
        root: { keyids: [a.keyId, b.keyId, c.keyId], threshold: 2 },
        assignment: { keyids: [operator.keyId, second.keyId], threshold: 1 },
      },
    });
  });

  it("stands with as many signatures as it asks for, whichever", () => {
    const [first, , third] = envelope.signatures;
    expect(verifyRoot({ ...envelope, signatures: [third, first] })).toEqual(root);
  });

  it("falls with fewer, and strangers do not help", () => {
    const { signed } = envelope;
    const threshold = code("ERR_TRUST_THRESHOLD", "1 of 2 signatures");
    expect(() => verifyRoot(signEnvelope(signed, [a]))).toThrow(threshold);
    expect(() => verifyRoot(signEnvelope(signed, [a, stranger, operator]))).toThrow(threshold);
    expect(() => verifyRoot({ signed, signatures: [] })).toThrow(
      code("ERR_TRUST_THRESHOLD", "0 of 2"),
    );
  });

  it("falls when anything in it was changed", () => {
    const wrong = code("ERR_TRUST_SIGNATURE", a.keyId);
    for (const change of [{ version: 2 }, { expires: "2099-01-31T12:00:00Z" }, { extra: 1 }]) {
      const signed = { ...envelope.signed, ...change };
      expect(() => verifyRoot({ ...envelope, signed })).toThrow(wrong);
    }
  });

  it("stands with a wrong signature beside enough right ones", () => {
    const [first, second, third] = envelope.signatures;
    const signatures = [{ ...first, sig: third?.sig }, second, third];
    expect(verifyRoot({ ...envelope, signatures })).toEqual(root);
  });

  it("keeps members that are newer than this version under its signatures, and leaves them out", () => {
    expect(verifyRoot(resigned({ future: { a: [1] } }))).toEqual(root);
  });

  it("verifies the one after it, by its own keys", () => {
    const next = createRoot({
      rootKeys: [b, c, stranger],
      rootThreshold: 2,
      assignmentKeys: [second.publicKey],
      version: 2,
      expires,
    });
    expect(verifyEnvelope(next, root, "root")).toEqual(verifyRoot(next));
    const usurper = createRoot({ rootKeys: [stranger], assignmentKeys: [a.publicKey], expires });
    expect(verifyRoot(usurper).version).toBe(1);
    expect(() => verifyEnvelope(usurper, root, "root")).toThrow(code("ERR_TRUST_THRESHOLD"));
  });

  const { keys, roles } = envelope.signed;
  it.each<[string, object, string]>([
    ["another type", { _type: "targets" }, "_type"],
    ["another specification", { spec_version: "2.0.0" }, "spec_version"],
    ["version 0", { version: 0 }, "version"],
    ["a version that is text", { version: "1" }, "version"],
    ["a day that the calendar lacks", { expires: "2027-02-31T12:00:00Z" }, "expires"],
    ["a time with a zone", { expires: "2027-01-31T12:00:00+01:00" }, "expires"],
    ["a time with fractions", { expires: "2027-01-31T12:00:00.000Z" }, "expires"],
    ["no consistent_snapshot", { consistent_snapshot: null }, "consistent_snapshot"],
    ["no keys", { keys: [] }, "keys"],
    ["no roles", { roles: null }, "roles"],
    ["no role root", { roles: { assignment: roles.assignment } }, 'no role "root"'],
    ["a key under another id", { keys: { ...keys, [a.keyId]: b.publicKey } }, "not its own"],
    ["a key under two ids", { keys: { ...keys, ["0".repeat(64)]: a.publicKey } }, "not its own"],
    ["a threshold of 0", role({ threshold: 0 }), "threshold"],
    ["a threshold below 0", role({ threshold: -1 }), "threshold"],
    ["a threshold that nobody can reach", role({ threshold: 4 }), "needs 4 signatures"],
    ["a key that it does not have", role({ keyids: ["f".repeat(64)] }), "does not have"],
    ["a name of the prototype as key", role({ keyids: ["constructor"] }), "does not have"],
    ["a key twice", role({ keyids: [a.keyId, a.keyId] }), "twice"],
    ["a role with more members", role({ paths: ["*"] }), "unknown key"],
  ])("with %s is refused, though its keys signed it", (_, change, message) => {
    expect(() => verifyRoot(resigned(change))).toThrow(code("ERR_TRUST_MALFORMED", message));
  });

  function role(change: object): object {
    const own = { keyids: [a.keyId, b.keyId, c.keyId], threshold: 2, ...change };
    return { roles: { ...roles, root: own } };
  }

  it("with a key of another type is refused", () => {
    const rsa = { ...a.publicKey, keytype: "rsa" };
    const change = resigned({ keys: { ...keys, ["0".repeat(64)]: rsa } });
    expect(() => verifyRoot(change)).toThrow(code("ERR_TRUST_KEY_INVALID"));
  });

  it("is not made from options that make none", () => {
    const options = { rootKeys: [a], assignmentKeys: [operator.publicKey], expires };
    const malformed = code("ERR_TRUST_MALFORMED");
    for (const wrong of [
      { rootKeys: [] },
      { rootKeys: [a, a] },
      { assignmentKeys: [] },
      { assignmentKeys: [b.publicKey, b.publicKey] },
      { rootThreshold: 2 },
      { assignmentThreshold: 0 },
      { version: 1.5 },
      { expires: "tomorrow" },
    ]) {
      expect(() => createRoot({ ...options, ...wrong })).toThrow(malformed);
    }
  });
});

describe("an envelope", () => {
  const document = { deployment: "delivery-robot", devices: ["r7"], counter: 418, note: 'a "b"\n' };
  const signed = signEnvelope(document, [operator]);

  it("gives what was signed, from an object, from text, and from bytes", () => {
    const text = JSON.stringify(signed, undefined, 2);
    for (const input of [signed, text, Buffer.from(text)]) {
      expect(verifyEnvelope(input, root, "assignment")).toEqual(document);
    }
  });

  it("gives a copy, which nobody changes afterwards", () => {
    const mutable = {
      signed: { counter: 1 },
      signatures: signEnvelope({ counter: 1 }, [operator]).signatures,
    };
    const verified = verifyEnvelope(mutable, root, "assignment");
    mutable.signed.counter = 2;
    expect(verified).toEqual({ counter: 1 });
  });

  it("means the same in whatever order its keys are written", () => {
    const { note, counter, ...rest } = document;
    const other = { signatures: signed.signatures, signed: { note, ...rest, counter } };
    expect(canonicalJson(verifyEnvelope(other, root, "assignment"))).toBe(canonicalJson(document));
  });

  it("counts for the role whose key signed it, and no other", () => {
    expect(() => verifyEnvelope(signed, root, "root")).toThrow(
      code("ERR_TRUST_THRESHOLD", "0 of 2"),
    );
    const byRoot = signEnvelope(document, [a, b]);
    expect(() => verifyEnvelope(byRoot, root, "assignment")).toThrow(code("ERR_TRUST_THRESHOLD"));
    for (const unknown of ["targets", "constructor", "__proto__", ""]) {
      expect(() => verifyEnvelope(signed, root, unknown)).toThrow(code("ERR_TRUST_ROLE"));
    }
  });

  it("falls when it was changed", () => {
    const changed = { ...signed, signed: { ...document, counter: 419 } };
    expect(() => verifyEnvelope(changed, root, "assignment")).toThrow(code("ERR_TRUST_SIGNATURE"));
  });

  it("needs different keys for a threshold", () => {
    const strict = verifyRoot(
      createRoot({
        rootKeys: [a],
        assignmentKeys: [operator.publicKey, second.publicKey],
        assignmentThreshold: 2,
        expires,
      }),
    );
    expect(
      verifyEnvelope(signEnvelope(document, [operator, second]), strict, "assignment"),
    ).toEqual(document);
    expect(() => verifyEnvelope(signed, strict, "assignment")).toThrow(code("ERR_TRUST_THRESHOLD"));
    const [signature] = signed.signatures;
    const twice = { ...signed, signatures: [signature, signature] };
    expect(() => verifyEnvelope(twice, strict, "assignment")).toThrow(
      code("ERR_TRUST_MALFORMED", "two signatures of one key"),
    );
    // A root that was never verified may list one key under two ids.
    const alias = "0".repeat(64);
    const doubled: Root = {
      ...strict,
      keys: { ...strict.keys, [alias]: operator.publicKey },
      roles: { assignment: { keyids: [operator.keyId, alias], threshold: 2 } },
    };
    const both = { ...signed, signatures: [signature, { ...signature, keyid: alias }] };
    expect(() => verifyEnvelope(both, doubled, "assignment")).toThrow(code("ERR_TRUST_THRESHOLD"));
  });

  it("needs a signature even where a root that was never verified asks for none", () => {
    const lax: Root = {
      ...root,
      roles: { assignment: { keyids: [operator.keyId], threshold: 0 } },
    };
    const unsigned = { signed: document, signatures: [] };
    expect(() => verifyEnvelope(unsigned, lax, "assignment")).toThrow(code("ERR_TRUST_THRESHOLD"));
  });

  const [signature] = signed.signatures;
  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["null", null],
    ["a number", 1],
    ["a list", [signed]],
    ["text that is no JSON", "{"],
    ["no signatures", { signed: document }],
    ["nothing signed", { signatures: [] }],
    ["signatures that are no list", { ...signed, signatures: {} }],
    ["more members", { ...signed, extra: 1 }],
    ["a signature that is null", { ...signed, signatures: [null] }],
    ["a signature with more members", { ...signed, signatures: [{ ...signature, method: "" }] }],
    [
      "a signature in uppercase",
      { ...signed, signatures: [{ ...signature, sig: signature?.sig.toUpperCase() }] },
    ],
    [
      "a signature that is too long",
      { ...signed, signatures: [{ ...signature, sig: `${signature?.sig}00` }] },
    ],
    [
      "a signature with a line end",
      { ...signed, signatures: [{ ...signature, sig: `${signature?.sig}\n` }] },
    ],
    ["a signature that is empty", { ...signed, signatures: [{ ...signature, sig: "" }] }],
    ["a key id that is none", { ...signed, signatures: [{ ...signature, keyid: "__proto__" }] }],
    ["a fraction", { ...signed, signed: { ...document, counter: 0.5 } }],
    ["a fraction in text", JSON.stringify({ ...signed, signed: { ...document, counter: 0.5 } })],
    ["undefined", { ...signed, signed: { ...document, counter: undefined } }],
    [
      "a second document under the same key",
      `{"signed":{"a":1},${JSON.stringify(signed).slice(1)}`,
    ],
  ])("that is or has %s is refused", (_, input) => {
    expect(() => verifyEnvelope(input, root, "assignment")).toThrow(code("ERR_TRUST_MALFORMED"));
  });

  it("is not made without a key, or by one key twice", () => {
    expect(() => signEnvelope(document, [])).toThrow(code("ERR_TRUST_MALFORMED"));
    expect(() => signEnvelope(document, [a, a])).toThrow(code("ERR_TRUST_MALFORMED"));
    expect(() => signEnvelope({ a: undefined }, [a])).toThrow(code("ERR_TRUST_MALFORMED"));
  });
});

describe("expiry", () => {
  it("is reached at its second", () => {
    const at = Date.parse(expires);
    expect(isExpired(expires, at - 1)).toBe(false);
    expect(isExpired(expires, at)).toBe(true);
    expect(formatExpiry(at + 999)).toBe(expires);
  });

  it("has passed where it is no time, or the clock shows none", () => {
    expect(isExpired("never", 0)).toBe(true);
    expect(isExpired(expires, Number.NaN)).toBe(true);
  });
});
