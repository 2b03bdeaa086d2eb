import { canonicalJson } from "./canonical-json.ts";
import { TrustError } from "./errors.ts";
import { exactObject, excerpt, type JsonValue, malformed } from "./json.ts";
import { isSignatureHex, type KeyPair, type PublicKey, verifySignature } from "./keys.ts";
import { parseStrictJson } from "./strict-json.ts";

/** A signature of an envelope. */
export interface Signature {
  /** The id of the key; what it may sign, the root says. */
  readonly keyid: string;
  /** 64 bytes as lowercase hex. */
  readonly sig: string;
}

/** A document and signatures of its canonical JSON, in the form of TUF. */
export interface Envelope<T> {
  readonly signed: T;
  readonly signatures: readonly Signature[];
}

/** Who has to have signed: at least `threshold` different keys of `keys`. */
export interface Signers {
  readonly threshold: number;
  /** By key id. */
  readonly keys: ReadonlyMap<string, PublicKey>;
}

/**
 * `signed` with a signature by each of `keys`, of its canonical JSON.
 *
 * @throws {TrustError} `ERR_TRUST_MALFORMED` for what canonical JSON cannot hold (`undefined`
 *   members and fractions among it), for no keys, and for one key twice
 */
export function signEnvelope<T>(signed: T, keys: readonly KeyPair[]): Envelope<T> {
  if (keys.length === 0) throw malformed("an envelope needs a key to sign it");
  if (new Set(keys.map(({ keyId }) => keyId)).size < keys.length) {
    throw malformed("an envelope is signed once by each key, but a key was given twice");
  }
  const bytes = Buffer.from(canonicalJson(signed));
  const signatures = keys.map((key) => ({
    keyid: key.keyId,
    sig: Buffer.from(key.sign(bytes)).toString("hex"),
  }));
  return { signed, signatures };
}

/**
 * The envelope in `input`: bytes or text of JSON (read strictly), or what was parsed from it.
 *
 * @throws {TrustError} `ERR_TRUST_MALFORMED`
 */
export function readEnvelope(input: unknown): Envelope<JsonValue> {
  const { signed, signatures } = exactObject(
    jsonOf(input),
    ["signed", "signatures"],
    "an envelope",
  );
  if (signed === undefined || !Array.isArray(signatures)) {
    throw malformed("the signatures of an envelope are no list");
  }
  const read = signatures.map(readSignature);
  if (new Set(read.map(({ keyid }) => keyid)).size < read.length) {
    throw malformed("an envelope has two signatures of one key");
  }
  return { signed, signatures: read };
}

/**
 * Checks that enough of `signers` signed. Signatures by others count for nothing.
 *
 * @param what names the document in the error's message
 * @throws {TrustError} `ERR_TRUST_SIGNATURE` where too few are valid and one of theirs is wrong:
 *   the document or the signature was changed
 * @throws {TrustError} `ERR_TRUST_THRESHOLD` where too few of them signed
 */
export function checkSignatures(
  { signed, signatures }: Envelope<JsonValue>,
  { keys, threshold }: Signers,
  what: string,
): void {
  const bytes = Buffer.from(canonicalJson(signed));
  const valid = new Set<string>();
  let wrong: string | undefined;
  for (const { keyid, sig } of signatures) {
    const key = keys.get(keyid);
    if (!key) continue;
    // Counted by the key itself: a second id for it makes no second signer.
    if (verifySignature(key, bytes, sig)) valid.add(key.keyval.public);
    else wrong ??= keyid;
  }
  // A root that was not verified may say 0.
  if (valid.size >= Math.max(1, threshold)) return;
  const count = `${valid.size} of ${threshold} signatures that it needs`;
  if (wrong !== undefined) {
    throw new TrustError(
      "ERR_TRUST_SIGNATURE",
      `${what} has ${count}, and the one of key ${wrong} is wrong: it was changed after it was signed; fetch or sign it again`,
    );
  }
  throw new TrustError(
    "ERR_TRUST_THRESHOLD",
    `${what} has ${count}; have it signed by more of the keys that the root names for it`,
  );
}

function jsonOf(input: unknown): JsonValue {
  const isText = typeof input === "string" || input instanceof Uint8Array;
  // A round trip takes a copy, so that what was checked is what is used, and cannot hold
  // anything but JSON. It also refuses what canonical JSON cannot hold, fractions say.
  return parseStrictJson(isText ? input : jsonText(input), isText ? {} : unlimited);
}

/** Limits are for bytes from outside; what was parsed already has passed its own. */
const unlimited = { maxBytes: Number.POSITIVE_INFINITY, maxDepth: 200 };

function jsonText(value: unknown): string {
  canonicalJson(value); // refuses what JSON.stringify would drop
  return JSON.stringify(value);
}

function readSignature(value: JsonValue): Signature {
  const { keyid, sig } = exactObject(value, ["keyid", "sig"], "a signature");
  if (typeof keyid !== "string" || !/^[0-9a-f]{64}$/.test(keyid)) {
    throw malformed("the key id of a signature is not 64 lowercase hex digits");
  }
  if (!isSignatureHex(sig)) {
    throw malformed(`the signature of key ${excerpt(keyid)} is not 128 lowercase hex digits`);
  }
  return { keyid, sig };
}
