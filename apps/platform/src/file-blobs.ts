import { randomBytes } from "node:crypto";
import { mkdir, open, readdir, rename, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { isSystemError, syncFolder } from "@roboticks/core/fs";
import { type BlobExpectation, type BlobStore, type ByteRange, checked } from "./blobs.ts";

/** Bytes that are read at a time. */
const readSize = 256 * 2 ** 10;

/**
 * Blobs as files below `root`, which is theirs alone:
 *
 *     incoming/<random>   being received; emptied at the start
 *     sha256/<hex>        whole and checked; only ever appear by rename
 */
export class FileBlobs implements BlobStore {
  readonly #incoming: string;
  readonly #kept: string;

  private constructor(root: string) {
    this.#incoming = join(root, "incoming");
    this.#kept = join(root, "sha256");
  }

  /** Makes the folders where they are missing, and drops what an earlier process left half. */
  static async open({ root }: { readonly root: string }): Promise<FileBlobs> {
    const blobs = new FileBlobs(root);
    await mkdir(blobs.#incoming, { recursive: true, mode: 0o700 });
    await mkdir(blobs.#kept, { recursive: true, mode: 0o700 });
    for (const name of await readdir(blobs.#incoming)) await unlink(join(blobs.#incoming, name));
    await syncFolder(root);
    return blobs;
  }

  async put(expected: BlobExpectation, body: AsyncIterable<Uint8Array>): Promise<void> {
    const temporary = join(this.#incoming, randomBytes(12).toString("hex"));
    try {
      await using file = await open(temporary, "wx", 0o600);
      for await (const chunk of checked(expected, body)) await file.writeFile(chunk);
      await file.sync();
    } catch (error) {
      await unlink(temporary).catch(() => {}); // the next start drops it
      throw error;
    }
    await rename(temporary, join(this.#kept, expected.sha256));
    await syncFolder(this.#kept);
  }

  async size(sha256: string): Promise<number | undefined> {
    try {
      return (await stat(join(this.#kept, sha256))).size;
    } catch (error) {
      if (isSystemError(error, "ENOENT")) return undefined;
      throw error;
    }
  }

  async *read(sha256: string, range?: ByteRange): AsyncGenerator<Uint8Array, void> {
    await using file = await open(join(this.#kept, sha256), "r");
    const end = range ? range.last + 1 : (await file.stat()).size;
    for (let position = range?.first ?? 0; position < end; ) {
      // A buffer of its own each time: the last one may still be on its way out.
      const buffer = Buffer.allocUnsafe(Math.min(readSize, end - position));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
      if (bytesRead === 0) throw new Error(`blob ${sha256} ends at byte ${position} of ${end}`);
      position += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  }
}
