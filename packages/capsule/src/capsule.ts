import type { Digest } from "@roboticks/core/digest";
import type { CapsuleManifest } from "@roboticks/spec/capsule";

/** A capsule that is installed: whole, and what its manifest says. */
export interface Capsule {
  readonly name: string;
  readonly version: string;
  /** Of the manifest. */
  readonly digest: Digest;
  /** Its folder. Not to be written to. */
  readonly path: string;
  readonly manifest: CapsuleManifest;
}

/** Where a capsule is fetched from, and what it has to be. */
export interface InstallSource {
  /** Of its archive: `https:`, `http:` or `file:`. */
  readonly url: string;
  /** Of its manifest. Whatever else the archive holds is checked by the manifest. */
  readonly digest: Digest;
  /** Bytes of the archive. Default: unknown, what the server says is taken. */
  readonly size?: number;
  /**
   * Sent along with every request to the origin of `url`, and to no other. A function is asked
   * anew at every attempt, for tokens that expire. Default: none.
   */
  readonly headers?: Headers | (() => Headers | Promise<Headers>);
}

type Headers = Readonly<Record<string, string>>;

/** How far a download is. A new attempt starts over. */
export interface InstallProgress {
  readonly receivedBytes: number;
  /** Of the archive; missing while neither the caller nor the server said it. */
  readonly totalBytes?: number;
}
