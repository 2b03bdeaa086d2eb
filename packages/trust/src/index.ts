export { canonicalJson, documentDigest } from "./canonical-json.ts";
export { type Envelope, type Signature, signEnvelope } from "./envelope.ts";
export { TrustError, type TrustErrorCode, trustErrorCodes } from "./errors.ts";
export { formatExpiry, isExpired } from "./expiry.ts";
export type { JsonObject, JsonValue } from "./json.ts";
export { readKeyFile, writeKeyFile } from "./key-file.ts";
export {
  exportPrivateKey,
  generateKeyPair,
  importPrivateKey,
  type KeyPair,
  keyIdOf,
  type PublicKey,
  parsePublicKey,
} from "./keys.ts";
export { signBytes, verifyBytes } from "./proof.ts";
export {
  type CreateRootOptions,
  createRoot,
  type Root,
  type RootRole,
  verifyEnvelope,
  verifyRoot,
} from "./root.ts";
export { parseStrictJson, type StrictJsonOptions } from "./strict-json.ts";
