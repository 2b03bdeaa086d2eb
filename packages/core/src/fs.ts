import { randomBytes } from "node:crypto";
import { open, rename, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** Options of {@link writeFileAtomic}. */
export interface WriteFileAtomicOptions {
  /** Permissions of the file, whatever the umask. Default 0o644; secrets take 0o600. */
  readonly mode?: number;
}

/**
 * Replaces `path` with `content` so that after a power cut a reader finds the old or the new,
 * whole: temporary file beside it → fsync → rename → fsync of the folder. Durable once it
 * resolves. A left-over temporary file is named `.<name>.<random>.tmp`.
 *
 * @throws what the file system threw; `path` then is as it was
 */
export async function writeFileAtomic(
  path: string,
  content: string | Uint8Array,
  { mode = 0o644 }: WriteFileAtomicOptions = {},
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    // Opened for nobody else first: a secret is never readable, not even for a moment.
    await using file = await open(temporary, "wx", 0o600);
    await file.writeFile(content);
    await file.chmod(mode);
    await file.sync();
  } catch (error) {
    await unlink(temporary).catch(() => {}); // it may never have been made
    throw error;
  }
  try {
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => {}); // the rename's error is the one that matters
    throw error;
  }
  await syncFolder(dirname(path));
}

/** Makes what was created, renamed or removed in `folder` durable. */
export async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, "r");
  await handle.sync();
}

/**
 * Whether `error` is the system's own with one of `codes`, such as `ENOENT`. Looks at the error
 * itself: one that only has such an error as its `cause` means something else.
 */
export function isSystemError(
  error: unknown,
  ...codes: readonly [code: string, ...more: string[]]
): boolean {
  if (!(error instanceof Error && "code" in error)) return false;
  return codes.some((code) => code === error.code);
}
