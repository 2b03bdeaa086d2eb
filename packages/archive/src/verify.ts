import { createHash } from "node:crypto";
import { constants } from "node:fs";
import { lstat, open, readdir, readlink } from "node:fs/promises";
import { join } from "node:path";
import type { Digest } from "@roboticks/core/digest";
import { isSystemError } from "@roboticks/core/fs";
import { type FileEntry, manifestPath, type TableEntry } from "./table.ts";

/**
 * One difference between a tree on disk and its table. Where several things are wrong with one
 * path, the first in the order below is told.
 */
export interface Problem {
  /**
   * `missing` and `extra`: only one side has it. `kind`: a folder, link or other thing where the
   * table has something else. `size`, `digest`, `mode`: of a file. `link`: another target.
   */
  readonly kind: "missing" | "extra" | "kind" | "size" | "digest" | "mode" | "link";
  readonly path: string;
  /** What the table says, for people; "" where it says nothing. */
  readonly expected: string;
  /** What the disk has, for people; "" where it has nothing. */
  readonly found: string;
}

type Found = "file" | "folder" | "link" | "other";

/**
 * Compares the folder of an unpacked capsule with its table, every byte of it. Never follows a
 * link below `folder`. `capsule.json` is not looked at: its digest is known to who has the table.
 *
 * @returns what differs; nothing when the tree is whole
 * @throws what the file system throws when something cannot be read, and `signal.reason` once
 * `signal` is aborted
 */
export async function verifyTree(
  folder: string,
  table: readonly TableEntry[],
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<Problem[]> {
  const wanted = new Map<string, TableEntry>(table.map((entry) => [entry.path, entry]));
  const folders = new Set(table.flatMap(({ path }) => foldersAbove(path)));
  const problems: Problem[] = [];
  for await (const { path, kind } of walk(folder, "")) {
    signal?.throwIfAborted();
    const entry = wanted.get(path);
    wanted.delete(path);
    if (path === manifestPath || (kind === "folder" && folders.has(path))) continue;
    if (entry) {
      const problem = await compare(folder, entry, kind, signal);
      if (problem) problems.push(problem);
    } else if (folders.has(path)) {
      problems.push({ kind: "kind", path, expected: "folder", found: kind });
    } else {
      problems.push({ kind: "extra", path, expected: "", found: kind });
    }
  }
  for (const [path, entry] of wanted) {
    problems.push({ kind: "missing", path, expected: kindOf(entry), found: "" });
  }
  return problems;
}

async function compare(
  folder: string,
  entry: TableEntry,
  found: Found,
  signal: AbortSignal | undefined,
): Promise<Problem | undefined> {
  const { path } = entry;
  const expected = kindOf(entry);
  if (found !== expected) return { kind: "kind", path, expected, found };
  if (!("link" in entry)) return compareFile(join(folder, path), entry, signal);
  const target = await readlink(join(folder, path));
  if (target === entry.link) return undefined;
  return { kind: "link", path, expected: entry.link, found: target };
}

async function compareFile(
  fullPath: string,
  { path, size, digest, mode }: FileEntry,
  signal: AbortSignal | undefined,
): Promise<Problem | undefined> {
  await using file = await open(fullPath, constants.O_RDONLY | constants.O_NOFOLLOW);
  const found = await file.stat();
  if (found.size !== size) {
    return { kind: "size", path, expected: String(size), found: String(found.size) };
  }
  const hash = createHash("sha256");
  const buffer = Buffer.allocUnsafe(Math.min(2 ** 20, size + 1));
  for (;;) {
    signal?.throwIfAborted();
    const { bytesRead } = await file.read(buffer);
    if (bytesRead === 0) break;
    hash.update(buffer.subarray(0, bytesRead));
  }
  const foundDigest: Digest = `sha256:${hash.digest("hex")}`;
  if (foundDigest !== digest) {
    return { kind: "digest", path, expected: digest, found: foundDigest };
  }
  const foundMode = (found.mode & 0o7777).toString(8).padStart(4, "0");
  if (foundMode !== mode) return { kind: "mode", path, expected: mode, found: foundMode };
  return undefined;
}

async function* walk(
  root: string,
  below: string,
): AsyncGenerator<{ readonly path: string; readonly kind: Found }, void, undefined> {
  for (const name of (await namesIn(join(root, below))).sort()) {
    const path = below === "" ? name : `${below}/${name}`;
    const stats = await lstat(join(root, path));
    const kind = stats.isFile()
      ? "file"
      : stats.isDirectory()
        ? "folder"
        : stats.isSymbolicLink()
          ? "link"
          : "other";
    yield { path, kind };
    if (kind === "folder") yield* walk(root, path);
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    // A folder that is not there has nothing: all of it is missing.
    if (isSystemError(error, "ENOENT")) return [];
    throw error;
  }
}

function foldersAbove(path: string): string[] {
  const segments = path.split("/").slice(0, -1);
  return segments.map((_, index) => segments.slice(0, index + 1).join("/"));
}

function kindOf(entry: TableEntry): "file" | "link" {
  return "link" in entry ? "link" : "file";
}
