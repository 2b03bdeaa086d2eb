import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { open, readlink } from "node:fs/promises";
import type { FileEntry } from "@roboticks/archive";
import type { Digest } from "@roboticks/core/digest";
import { isSystemError } from "@roboticks/core/fs";
import { PackError, systemError } from "./errors.ts";

const chunkBytes = 2 ** 20;

/** What reading a file showed of it. */
export type FileFacts = Pick<FileEntry, "mode" | "size" | "digest">;

/**
 * The bytes of a file of the folder, and at the end what it is. Every piece is overwritten by
 * the next one. Never follows a link, and never waits for the other end of a FIFO.
 *
 * @throws {PackError} `ERR_PACK_CHANGED` when there is no such file any more, `ERR_PACK_READ`
 */
export async function* readSourceFile(
  fullPath: string,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, FileFacts, undefined> {
  const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
  try {
    await using file = await open(fullPath, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const stats = await file.stat();
    if (!stats.isFile()) throw changed(fullPath);
    const hash = createHash("sha256");
    // One byte more than there should be, so that a small file needs no second buffer to end.
    const buffer = Buffer.allocUnsafe(Math.min(chunkBytes, stats.size + 1));
    let size = 0;
    for (;;) {
      signal?.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      if (bytesRead === 0) break;
      const piece = buffer.subarray(0, bytesRead);
      hash.update(piece);
      size += bytesRead;
      yield piece;
    }
    const digest: Digest = `sha256:${hash.digest("hex")}`;
    // Programs are told by the owner's bit: the others vary with the umask of whoever built.
    return { mode: stats.mode & 0o100 ? "0755" : "0644", size, digest };
  } catch (error) {
    throw readError(fullPath, error);
  }
}

/** Reads a file for nothing but what it is. */
export async function inspectSourceFile(
  fullPath: string,
  signal: AbortSignal | undefined,
): Promise<FileFacts> {
  const pieces = readSourceFile(fullPath, signal);
  for (;;) {
    const { done, value } = await pieces.next();
    if (done) return value;
  }
}

/** Where a link of the folder points. @throws {PackError} `ERR_PACK_CHANGED`, `ERR_PACK_READ` */
export async function readTarget(fullPath: string): Promise<string> {
  try {
    return await readlink(fullPath);
  } catch (error) {
    throw readError(fullPath, error);
  }
}

/** The system's ways of saying that something which was there is not, or is something else. */
const signsOfChange = ["ENOENT", "ELOOP", "ENOTDIR", "EINVAL", "ENXIO"] as const;

/** The error of reading something in the folder that was there a moment ago. */
export function readError(path: string, error: unknown): unknown {
  if (isSystemError(error, ...signsOfChange)) return changed(path, error);
  return systemError("ERR_PACK_READ", path, error);
}

/** An `ERR_PACK_CHANGED`. */
export function changed(path: string, cause?: unknown): PackError {
  return new PackError(
    "ERR_PACK_CHANGED",
    `${path} has changed while it was being packed; let the build finish and pack again`,
    { cause },
  );
}
