import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";
import { digestOf } from "@roboticks/core/digest";
import { canonicalJson } from "./canonical-json.ts";
import { TrustError } from "./errors.ts";
import { exactObject, type JsonValue } from "./json.ts";

/** An Ed25519 public key in the form of TUF. */
export interface PublicKey {
  readonly keytype: "ed25519";
  readonly scheme: "ed25519";
  /** The 32 bytes of RFC 8032 as 64 lowercase hex digits. */
  readonly keyval: { readonly public: string };
}

/** A private key with its public half. Printing or serialising it shows nothing secret. */
export interface KeyPair {
  /** {@link keyIdOf} of the public key. */
  readonly keyId: string;
  readonly publicKey: PublicKey;
  readonly privateKey: KeyObject;
  /**
   * The 64 bytes of an Ed25519 signature of `bytes` as they are. Use `signEnvelope` for
   * documents and `signBytes` for proofs: never sign bytes that someone else chose.
   */
  sign(bytes: Uint8Array): Uint8Array;
}

/** The id of a key: SHA-256 of its canonical JSON, in hex, as TUF computes it. */
export function keyIdOf({ keytype, scheme, keyval }: PublicKey): string {
  const text = canonicalJson({ keytype, scheme, keyval: { public: keyval.public } });
  return digestOf(text).slice("sha256:".length);
}

/** A new key pair. */
export function generateKeyPair(): KeyPair {
  return keyPairOf(generateKeyPairSync("ed25519").privateKey);
}

/** The private key as PKCS #8 in PEM, not encrypted: whoever reads it is its owner. */
export function exportPrivateKey({ privateKey }: KeyPair): string {
  return String(privateKey.export({ type: "pkcs8", format: "pem" }));
}

/**
 * The key pair of a private key as {@link exportPrivateKey} or `openssl genpkey` writes it.
 *
 * @throws {TrustError} `ERR_TRUST_KEY_INVALID` for anything but an unencrypted Ed25519 key
 */
export function importPrivateKey(pem: string): KeyPair {
  let key: KeyObject;
  try {
    key = createPrivateKey({ key: pem, format: "pem" });
  } catch (cause) {
    throw new TrustError(
      "ERR_TRUST_KEY_INVALID",
      "the text is no unencrypted private key in PEM; make one, or decrypt it first",
      { cause },
    );
  }
  if (key.asymmetricKeyType !== "ed25519") {
    throw new TrustError(
      "ERR_TRUST_KEY_INVALID",
      `the private key is of type ${key.asymmetricKeyType}; only ed25519 is supported`,
    );
  }
  return keyPairOf(key);
}

/**
 * A public key that came from outside, once its form was checked.
 *
 * @throws {TrustError} `ERR_TRUST_KEY_INVALID` for another type or scheme than ed25519, and for a
 *   value that is not 64 lowercase hex digits, or a point of small order;
 *   `ERR_TRUST_MALFORMED` for another shape
 */
export function parsePublicKey(value: JsonValue | undefined): PublicKey {
  const { keytype, scheme, keyval } = exactObject(
    value,
    ["keytype", "scheme", "keyval"],
    "a public key",
  );
  if (keytype !== "ed25519" || scheme !== "ed25519") {
    throw new TrustError(
      "ERR_TRUST_KEY_INVALID",
      "a public key has another type or scheme than ed25519: only that is supported",
    );
  }
  const hex = exactObject(keyval, ["public"], "the value of a public key").public;
  if (typeof hex !== "string" || !/^[0-9a-f]{64}$/.test(hex)) {
    throw new TrustError(
      "ERR_TRUST_KEY_INVALID",
      "an ed25519 public key must be 64 lowercase hex digits",
    );
  }
  if (isWeak(hex)) {
    throw new TrustError(
      "ERR_TRUST_KEY_INVALID",
      "the ed25519 public key is of small order: anyone can sign for it; have a new one made",
    );
  }
  return { keytype, scheme, keyval: { public: hex } };
}

/** Whether `signature` has the one form that is accepted: 64 bytes in lowercase hex. */
export function isSignatureHex(signature: unknown): signature is string {
  return typeof signature === "string" && /^[0-9a-f]{128}$/.test(signature);
}

/** Whether `signatureHex` is a signature of `bytes` by the owner of `publicKey`. */
export function verifySignature(
  publicKey: PublicKey,
  bytes: Uint8Array,
  signatureHex: string,
): boolean {
  if (!isSignatureHex(signatureHex)) return false;
  const x = Buffer.from(publicKey.keyval.public, "hex").toString("base64url");
  let key: KeyObject;
  try {
    key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
  } catch {
    return false; // no such key, so nobody can have signed with it
  }
  return verify(null, bytes, key, Buffer.from(signatureHex, "hex"));
}

/** The y coordinates of the points of small order, two of them also in an unreduced form. */
const weakKeys: ReadonlySet<string> = new Set([
  "00".repeat(32),
  `01${"00".repeat(31)}`,
  "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
  "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
  `ec${"ff".repeat(30)}7f`,
  `ed${"ff".repeat(30)}7f`,
  `ee${"ff".repeat(30)}7f`,
]);

function isWeak(hex: string): boolean {
  // The top bit is the sign of x, which does not matter here.
  const top = (Number.parseInt(hex.slice(62), 16) & 0x7f).toString(16).padStart(2, "0");
  return weakKeys.has(hex.slice(0, 62) + top);
}

function keyPairOf(privateKey: KeyObject): KeyPair {
  const { x = "" } = createPublicKey(privateKey).export({ format: "jwk" });
  const publicKey: PublicKey = {
    keytype: "ed25519",
    scheme: "ed25519",
    keyval: { public: Buffer.from(x, "base64url").toString("hex") },
  };
  return {
    keyId: keyIdOf(publicKey),
    publicKey,
    privateKey,
    sign: (bytes) => sign(null, bytes, privateKey),
  };
}
