import { createHash, generateKeyPairSync } from "node:crypto";
import { chmod, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import {
  exportPrivateKey,
  generateKeyPair,
  importPrivateKey,
  type KeyPair,
  keyIdOf,
  parsePublicKey,
  readKeyFile,
  signBytes,
  signEnvelope,
  verifyBytes,
  writeKeyFile,
} from "../src/index.ts";
import { verifySignature } from "../src/keys.ts";

/** RFC 8032, section 7.1, tests 1 to 3. */
const vectors = [
  {
    secret: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    public: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    message: "",
    signature:
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
  },
  {
    secret: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    public: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    message: "72",
    signature:
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
  },
  {
    secret: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    public: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    message: "af82",
    signature:
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
  },
] as const;

/** The key pair of a secret of RFC 8032: its bytes behind the fixed head of PKCS #8. */
function keyPairOf(secret: string): KeyPair {
  const der = Buffer.from(`302e020100300506032b657004220420${secret}`, "hex");
  return importPrivateKey(
    `-----BEGIN PRIVATE KEY-----\n${der.toString("base64")}\n-----END PRIVATE KEY-----\n`,
  );
}

const invalid = expect.objectContaining({ code: "ERR_TRUST_KEY_INVALID" });
const malformed = expect.objectContaining({ code: "ERR_TRUST_MALFORMED" });

describe("keys", () => {
  it.each(vectors)("sign and verify as RFC 8032 says: $public", (vector) => {
    const pair = keyPairOf(vector.secret);
    const message = Buffer.from(vector.message, "hex");
    expect(pair.publicKey.keyval.public).toBe(vector.public);
    expect(Buffer.from(pair.sign(message)).toString("hex")).toBe(vector.signature);
    expect(verifySignature(pair.publicKey, message, vector.signature)).toBe(true);
    expect(verifySignature(pair.publicKey, Buffer.from("other"), vector.signature)).toBe(false);
  });

  it("have the id that TUF gives them", () => {
    const { publicKey, keyId } = keyPairOf(vectors[0].secret);
    const text = `{"keytype":"ed25519","keyval":{"public":"${vectors[0].public}"},"scheme":"ed25519"}`;
    expect(keyId).toBe(createHash("sha256").update(text).digest("hex"));
    expect(keyIdOf(publicKey)).toBe(keyId);
  });

  it("survive export and import", () => {
    const pair = generateKeyPair();
    const same = importPrivateKey(exportPrivateKey(pair));
    expect(same.keyId).toBe(pair.keyId);
    expect(generateKeyPair().keyId).not.toBe(pair.keyId);
  });

  it("are not told by accident", () => {
    const pair = generateKeyPair();
    const secret = exportPrivateKey(pair).split("\n")[1] ?? "";
    const bytes = Buffer.from(secret, "base64").subarray(16);
    for (const told of [inspect(pair, { depth: 9, showHidden: true }), JSON.stringify(pair)]) {
      expect(told).not.toContain(secret);
      expect(told).not.toContain(bytes.toString("hex"));
    }
  });

  it("of other kinds, encrypted or damaged are refused, without their text", () => {
    const rsa = generateKeyPairSync("ec", { namedCurve: "P-256" });
    const pem = exportPrivateKey(generateKeyPair());
    const encrypted = generateKeyPair().privateKey.export({
      type: "pkcs8",
      format: "pem",
      cipher: "aes-256-cbc",
      passphrase: "secret",
    });
    const wrong = [
      String(rsa.privateKey.export({ type: "pkcs8", format: "pem" })),
      String(rsa.publicKey.export({ type: "spki", format: "pem" })),
      String(encrypted),
      pem.slice(0, 60),
      "",
    ];
    for (const text of wrong) expect(() => importPrivateKey(text)).toThrow(invalid);
  });
});

describe("parsePublicKey", () => {
  const { publicKey } = generateKeyPair();
  const hex = publicKey.keyval.public;

  it("gives a key of the right form", () => {
    expect(parsePublicKey(JSON.parse(JSON.stringify(publicKey)))).toEqual(publicKey);
  });

  it.each([
    ["another type", { ...publicKey, keytype: "rsa" }],
    ["another scheme", { ...publicKey, scheme: "ed25519ph" }],
    ["uppercase", { ...publicKey, keyval: { public: `${hex.slice(0, 62)}AB` } }],
    ["too short", { ...publicKey, keyval: { public: hex.slice(2) } }],
    ["too long", { ...publicKey, keyval: { public: `${hex}00` } }],
    ["a line end", { ...publicKey, keyval: { public: `${hex}\n` } }],
    ["no text", { ...publicKey, keyval: { public: 1 } }],
    ["a point of small order", { ...publicKey, keyval: { public: `01${"00".repeat(31)}` } }],
    ["the same with the sign set", { ...publicKey, keyval: { public: `01${"00".repeat(30)}80` } }],
    ["an unreduced one", { ...publicKey, keyval: { public: `ee${"ff".repeat(31)}` } }],
  ])("refuses a key that is %s", (_, value) => {
    expect(() => parsePublicKey(value)).toThrow(invalid);
  });

  it.each([
    ["nothing", null],
    ["a list", []],
    ["a key that lacks a member", { keytype: "ed25519", keyval: { public: hex } }],
    ["a key with more members", { ...publicKey, keyid_hash_algorithms: ["sha256"] }],
    ["a value with more members", { ...publicKey, keyval: { public: hex, private: "" } }],
  ])("refuses %s", (_, value) => {
    expect(() => parsePublicKey(value)).toThrow(malformed);
  });
});

describe("signatures", () => {
  const pair = keyPairOf(vectors[1].secret);
  const message = Buffer.from("72", "hex");
  const { signature } = vectors[1];

  it("have one form only", () => {
    // S + L, the same signature to a verifier that does not reduce.
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    const s = Buffer.from(signature.slice(64), "hex").reverse().toString("hex");
    const shifted = (BigInt(`0x${s}`) + order).toString(16).padStart(64, "0");
    const high = signature.slice(0, 64) + Buffer.from(shifted, "hex").reverse().toString("hex");
    const others = [high, signature.toUpperCase(), `${signature}00`, `${signature}\n`, "", " "];
    for (const other of others) expect(verifySignature(pair.publicKey, message, other)).toBe(false);
    expect(verifySignature(pair.publicKey, message, signature)).toBe(true);
  });

  it("of a key that is no point are none", () => {
    const nowhere = { ...pair.publicKey, keyval: { public: `02${"00".repeat(31)}` } };
    const broken = { ...pair.publicKey, keyval: { public: "00" } };
    expect(verifySignature(nowhere, message, signature)).toBe(false);
    expect(verifySignature(broken, message, signature)).toBe(false);
  });
});

describe("proofs", () => {
  const pair = generateKeyPair();
  const bytes = Buffer.from("challenge 7");

  it("are accepted for these bytes and this key alone", () => {
    const proof = signBytes(pair, bytes);
    expect(proof).toMatch(/^[0-9a-f]{128}$/);
    expect(verifyBytes(pair.publicKey, bytes, proof)).toBe(true);
    expect(verifyBytes(pair.publicKey, Buffer.from("challenge 8"), proof)).toBe(false);
    expect(verifyBytes(generateKeyPair().publicKey, bytes, proof)).toBe(false);
    expect(verifyBytes(pair.publicKey, bytes, "")).toBe(false);
    expect(verifyBytes(pair.publicKey, bytes, proof.toUpperCase())).toBe(false);
  });

  it("are never the signature of a document, nor the reverse", () => {
    const document = Buffer.from('{"a":1}');
    const proof = signBytes(pair, document);
    const sig = signEnvelope({ a: 1 }, [pair]).signatures[0]?.sig ?? "";
    expect(verifySignature(pair.publicKey, document, sig)).toBe(true);
    expect(verifySignature(pair.publicKey, document, proof)).toBe(false);
    expect(verifyBytes(pair.publicKey, document, sig)).toBe(false);
  });
});

describe("key files", () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "trust-"));
    path = join(folder, "device.pem");
  });
  afterEach(() => rm(folder, { recursive: true }));

  it("are for their owner alone, hold the key, and leave nothing beside them", async () => {
    const pair = generateKeyPair();
    await writeKeyFile(path, pair);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect((await readKeyFile(path)).keyId).toBe(pair.keyId);
    expect(await readdir(folder)).toEqual(["device.pem"]);
  });

  it("are never replaced, nor written through a link", async () => {
    await writeKeyFile(path, generateKeyPair());
    const before = await readFile(path, "utf8");
    const link = join(folder, "link.pem");
    await symlink(join(folder, "elsewhere.pem"), link);
    for (const taken of [path, link]) {
      await expect(writeKeyFile(taken, generateKeyPair())).rejects.toMatchObject({
        code: "ERR_TRUST_KEY_EXISTS",
      });
    }
    expect(await readFile(path, "utf8")).toBe(before);
    expect((await readdir(folder)).sort()).toEqual(["device.pem", "link.pem"]);
  });

  it.each([0o640, 0o604, 0o620, 0o601])(
    "are refused when others may use them: %o",
    async (mode) => {
      await writeKeyFile(path, generateKeyPair());
      await chmod(path, mode);
      await expect(readKeyFile(path)).rejects.toMatchObject({
        code: "ERR_TRUST_KEY_EXPOSED",
        message: expect.stringContaining(mode.toString(8)),
      });
    },
  );

  it("are refused when they hold no key, and the message does not tell what they hold", async () => {
    for (const content of ["", "my password", "x".repeat(20_000)]) {
      await writeFile(path, content, { mode: 0o600 });
      await expect(readKeyFile(path)).rejects.toMatchObject({
        code: "ERR_TRUST_KEY_INVALID",
        message: expect.not.stringContaining("password"),
      });
    }
    await expect(readKeyFile(folder)).rejects.toMatchObject({ code: "ERR_TRUST_KEY_INVALID" });
  });

  it("that are not there, or cannot be made, are told with the system's reason", async () => {
    const cause = { code: "ENOENT" };
    await expect(readKeyFile(path)).rejects.toMatchObject({ code: "ERR_TRUST_IO", cause });
    const nowhere = join(folder, "missing", "device.pem");
    await expect(writeKeyFile(nowhere, generateKeyPair())).rejects.toMatchObject({
      code: "ERR_TRUST_IO",
      cause,
    });
  });
});
