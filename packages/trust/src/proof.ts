import { isSignatureHex, type KeyPair, type PublicKey, verifySignature } from "./keys.ts";

/**
 * Stands before the bytes of every proof. A device signs what a platform asks it to; without
 * this, a platform could ask for the signature of a document and present it as one.
 */
const context = "roboticks proof v1\0";

/**
 * Signs `bytes` as a proof that the key is held, e.g. of a challenge; gives lowercase hex. What
 * is signed is `roboticks proof v1`, a zero byte, and `bytes`; it never is a valid signature of
 * a document.
 */
export function signBytes(keyPair: KeyPair, bytes: Uint8Array): string {
  return Buffer.from(keyPair.sign(withContext(bytes))).toString("hex");
}

/** Whether `signature` is what {@link signBytes} gave for `bytes` with this key; never throws. */
export function verifyBytes(publicKey: PublicKey, bytes: Uint8Array, signature: string): boolean {
  return isSignatureHex(signature) && verifySignature(publicKey, withContext(bytes), signature);
}

function withContext(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(context), bytes]);
}
