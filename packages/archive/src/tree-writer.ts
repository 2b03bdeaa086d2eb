import { createHash, type Hash } from "node:crypto";
import {
  chmodSync,
  closeSync,
  constants,
  fchmodSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { syncFolder } from "@roboticks/core/fs";
import { ArchiveError, writeError } from "./errors.ts";
import { SyncQueue } from "./sync-queue.ts";
import { type FileEntry, manifestPath, type TableEntry } from "./table.ts";

/** Never overwrites, never follows: whatever stands at a path already is no work of ours. */
const createNew = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;

interface OpenFile {
  readonly entry: FileEntry;
  readonly descriptor: number;
  readonly hash: Hash;
  written: number;
}

/**
 * Writes the tree of one archive into an empty folder, or leaves nothing of it. Writing is
 * synchronous, which is the fastest that Node has for this; the next chunk is inflated in
 * another thread meanwhile.
 */
export class TreeWriter {
  readonly #into: string;
  readonly #isOurs: boolean;
  /** Made so far, below the root; insertion order is parents first. */
  readonly #folders = new Set<string>();
  /** Fewer than the threads of the pool: inflating and reading need some as well. */
  readonly #syncs = new SyncQueue(3);
  #file: OpenFile | undefined;
  #writtenBytes = 0;

  /** @throws {ArchiveError} `ERR_ARCHIVE_NOT_EMPTY` or `ERR_ARCHIVE_WRITE` */
  constructor(into: string) {
    this.#into = into;
    this.#isOurs = !assertEmptyFolder(into);
    this.#attempt(into, () => {
      if (this.#isOurs) mkdirSync(into, 0o700);
      chmodSync(into, 0o700);
    });
  }

  /** Bytes of the table's files that were written. */
  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  async writeManifest(bytes: Uint8Array): Promise<void> {
    const path = join(this.#into, manifestPath);
    const descriptor = this.#create(path, 0o644);
    this.#writeAll(path, descriptor, bytes);
    await this.#keep(path, descriptor);
  }

  begin(entry: TableEntry): void {
    const path = join(this.#into, entry.path);
    this.#makeFolders(entry.path);
    if ("link" in entry) {
      this.#attempt(path, () => symlinkSync(entry.link, path));
    } else {
      const descriptor = this.#create(path, Number.parseInt(entry.mode, 8));
      this.#file = { entry, descriptor, hash: createHash("sha256"), written: 0 };
    }
  }

  write(bytes: Buffer): void {
    const file = this.#file;
    if (!file || file.written + bytes.length > file.entry.size) {
      throw new ArchiveError(
        "ERR_ARCHIVE_MISMATCH",
        "the archive holds more bytes than its manifest says; use an archive that pack has made",
      );
    }
    file.written += bytes.length;
    file.hash.update(bytes);
    this.#writeAll(join(this.#into, file.entry.path), file.descriptor, bytes);
    this.#writtenBytes += bytes.length;
  }

  /** Ends what {@link begin} began. @throws {ArchiveError} `ERR_ARCHIVE_DIGEST_MISMATCH` */
  async end(): Promise<void> {
    if (!this.#file) return; // a link is whole from the start
    const { entry, descriptor, hash } = this.#file;
    const found = `sha256:${hash.digest("hex")}`;
    if (found !== entry.digest) {
      throw new ArchiveError(
        "ERR_ARCHIVE_DIGEST_MISMATCH",
        `${JSON.stringify(entry.path)} has digest ${found}, its manifest says ${entry.digest}; fetch the archive again`,
      );
    }
    this.#file = undefined;
    await this.#keep(join(this.#into, entry.path), descriptor);
  }

  /** Durable once it resolves; the name of the folder itself is the caller's to sync. */
  async finish(signal?: AbortSignal): Promise<void> {
    try {
      await this.#syncs.settle();
      // Children first: a folder that is on disk has all that it names.
      for (const folder of [...this.#folders].reverse()) {
        signal?.throwIfAborted();
        await syncFolder(join(this.#into, folder));
      }
      await syncFolder(this.#into);
    } catch (error) {
      signal?.throwIfAborted();
      throw writeError(this.#into, error);
    }
  }

  /** Removes all that was written, and the folder if it was not there before. */
  async undo(): Promise<void> {
    if (this.#file) closeSync(this.#file.descriptor);
    this.#file = undefined;
    await this.#syncs.settle().catch(() => {}); // what failed to sync goes away anyway
    const doomed = this.#isOurs
      ? [this.#into]
      : readdirSync(this.#into).map((name) => join(this.#into, name));
    for (const path of doomed) await rm(path, { recursive: true, force: true });
  }

  #create(path: string, mode: number): number {
    return this.#attempt(path, () => {
      const descriptor = openSync(path, createNew, 0o600);
      try {
        fchmodSync(descriptor, mode); // exactly, whatever the umask
      } catch (error) {
        closeSync(descriptor);
        throw error;
      }
      return descriptor;
    });
  }

  #writeAll(path: string, descriptor: number, bytes: Uint8Array): void {
    this.#attempt(path, () => {
      for (let at = 0; at < bytes.length; ) at += writeSync(descriptor, bytes, at);
    });
  }

  async #keep(path: string, descriptor: number): Promise<void> {
    try {
      await this.#syncs.add(descriptor);
    } catch (error) {
      throw writeError(path, error);
    }
  }

  #makeFolders(path: string): void {
    const folder = dirname(path);
    if (folder === "." || this.#folders.has(folder)) return;
    this.#makeFolders(folder);
    const full = join(this.#into, folder);
    this.#attempt(full, () => {
      mkdirSync(full, 0o755);
      chmodSync(full, 0o755); // exactly, whatever the umask
    });
    this.#folders.add(folder);
  }

  #attempt<Result>(path: string, work: () => Result): Result {
    try {
      return work();
    } catch (error) {
      throw writeError(path, error);
    }
  }
}

/**
 * Whether there is a folder at `into`, which then is empty.
 *
 * @throws {ArchiveError} `ERR_ARCHIVE_NOT_EMPTY` or `ERR_ARCHIVE_WRITE`
 */
export function assertEmptyFolder(into: string): boolean {
  try {
    const found = lstatSync(into, { throwIfNoEntry: false });
    if (!found) return false;
    // A link is none either: mode and removal would be those of something elsewhere.
    if (!found.isDirectory()) throw new Error("it is no folder; choose another place");
    if (readdirSync(into).length === 0) return true;
  } catch (error) {
    throw writeError(into, error);
  }
  throw new ArchiveError(
    "ERR_ARCHIVE_NOT_EMPTY",
    `${into} is not empty; remove what is in it or choose another folder`,
  );
}
