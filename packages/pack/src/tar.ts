import { join } from "node:path";
import type { FileEntry, TableEntry } from "@roboticks/archive";
import { Header, Pax } from "tar";
import { manifestPath } from "./folder.ts";
import { changed, readSourceFile, readTarget } from "./source-file.ts";

const blockBytes = 512;

/** 2000-01-01: some fixed time that no tar warns about. */
const mtime = new Date(946_684_800_000);

/** The manifest as the first entry of a tar. */
export function manifestEntry(bytes: Buffer): Buffer {
  const header = encodeHeader({ path: manifestPath, mode: 0o644, size: bytes.length });
  return Buffer.concat([header, bytes, padding(bytes.length)]);
}

/**
 * The rest of the tar: the files of `table` in its order, and the end. Every piece is
 * overwritten by the next one.
 *
 * @throws {PackError} `ERR_PACK_CHANGED` when a file is not what the table says any more
 */
export async function* tarOf(
  folder: string,
  table: readonly TableEntry[],
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  for (const entry of table) {
    if ("link" in entry) {
      const fullPath = join(folder, entry.path);
      if ((await readTarget(fullPath)) !== entry.link) throw changed(fullPath);
      yield encodeHeader({ path: entry.path, mode: 0o777, size: 0, link: entry.link });
    } else {
      yield encodeHeader({ ...entry, mode: Number.parseInt(entry.mode, 8) });
      yield* contentOf(join(folder, entry.path), entry, signal);
      yield padding(entry.size);
    }
  }
  yield Buffer.alloc(2 * blockBytes);
}

async function* contentOf(
  fullPath: string,
  { mode, size, digest }: FileEntry,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer, void, undefined> {
  let left = size;
  const pieces = readSourceFile(fullPath, signal);
  for (;;) {
    const { done, value } = await pieces.next();
    if (done) {
      if (left === 0 && value.digest === digest && value.mode === mode) return;
      throw changed(fullPath);
    }
    left -= value.length;
    if (left < 0) {
      // Closes the file; it may grow for as long as we read.
      await pieces.return({ mode, size, digest });
      throw changed(fullPath);
    }
    yield value;
  }
}

interface HeaderFields {
  readonly path: string;
  readonly mode: number;
  readonly size: number;
  readonly link?: string;
}

/** Owner, group and time are those of nobody: they would differ from machine to machine. */
function encodeHeader({ path, mode, size, link }: HeaderFields): Buffer {
  const type = link === undefined ? "File" : "SymbolicLink";
  const header = new Header({ path, mode, size, type, linkpath: link, uid: 0, gid: 0, mtime });
  const block = Buffer.alloc(blockBytes);
  // A name of 100 bytes in no folder node-tar writes with the prefix ".", another name for us.
  if (!header.encode(block) && new Header(block).path === path) return block;
  return Buffer.concat([new Pax({ path, linkpath: link, mtime, uid: 0, gid: 0 }).encode(), block]);
}

function padding(size: number): Buffer {
  return Buffer.alloc((blockBytes - (size % blockBytes)) % blockBytes);
}
