import { createHash } from "node:crypto";

/** What bytes are, in short: `sha256:` and 64 lowercase hex digits. */
export type Digest = `sha256:${string}`;

/** The digest of `bytes`; a string counts as its UTF-8. */
export function digestOf(bytes: string | Uint8Array): Digest {
  return `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
}

/** Whether `text` has the form of a {@link Digest}. */
export function isDigest(text: string): text is Digest {
  return /^sha256:[0-9a-f]{64}$/.test(text);
}
