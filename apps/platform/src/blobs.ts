import { createHash } from "node:crypto";
import { PlatformError } from "./errors.ts";

/** What a blob is to be. */
export interface BlobExpectation {
  /** sha256 of the bytes, hex; the blob's key. */
  readonly sha256: string;
  readonly size: number;
}

/** A part of a blob; both ends count in. */
export interface ByteRange {
  readonly first: number;
  readonly last: number;
}

/**
 * Where the platform keeps archives; a port, so that they may lie elsewhere. A blob is there
 * whole or not at all, and never changes.
 */
export interface BlobStore {
  /**
   * Keeps `body`; resolves when it is durable. Nothing is kept when it fails.
   *
   * @throws {PlatformError} `ERR_PLATFORM_TRUNCATED` when it is shorter than `size`,
   *   `ERR_PLATFORM_TOO_LARGE` when longer, `ERR_PLATFORM_DIGEST` when it is something else
   * @throws what `body` throws
   */
  put(expected: BlobExpectation, body: AsyncIterable<Uint8Array>): Promise<void>;
  /** Length in bytes; `undefined` where there is no such blob. */
  size(sha256: string): Promise<number | undefined>;
  /** The bytes, read as they are asked for. Throws where there is no such blob. */
  read(sha256: string, range?: ByteRange): AsyncIterable<Uint8Array>;
}

/** `body` as it is, ending with an error where it is not what was expected. */
export async function* checked(
  { sha256, size }: BlobExpectation,
  body: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  const hash = createHash("sha256");
  let received = 0;
  for await (const chunk of body) {
    received += chunk.byteLength;
    if (received > size) {
      throw new PlatformError("ERR_PLATFORM_TOO_LARGE", `more than the ${size} bytes announced`);
    }
    hash.update(chunk);
    yield chunk;
  }
  if (received < size) {
    throw new PlatformError(
      "ERR_PLATFORM_TRUNCATED",
      `only ${received} of ${size} bytes arrived; nothing was kept, send it again`,
    );
  }
  const found = hash.digest("hex");
  if (found !== sha256) {
    throw new PlatformError(
      "ERR_PLATFORM_DIGEST",
      `what arrived has sha256 ${found}, announced was ${sha256}; nothing was kept`,
    );
  }
}
