import type { Stats } from "node:fs";
import { lstat, readdir } from "node:fs/promises";
import { join } from "node:path";
import type { TableEntry } from "@roboticks/archive";
import { PackError } from "./errors.ts";
import { inspectSourceFile, readError, readTarget } from "./source-file.ts";

/** `capsule.json` is the source of the manifest, and in no table. */
export const manifestPath = "capsule.json";

/**
 * The table of all files and links of `folder`, in byte order of their paths. Folders have no
 * rows: an empty one is not part of a capsule.
 *
 * @throws {PackError} `ERR_PACK_UNSUPPORTED_FILE`, `ERR_PACK_CHANGED` or `ERR_PACK_READ`
 */
export async function readTable(
  folder: string,
  signal: AbortSignal | undefined,
): Promise<TableEntry[]> {
  const table: TableEntry[] = [];
  for await (const { path, kind } of walk(folder, "")) {
    signal?.throwIfAborted();
    const fullPath = join(folder, path);
    table.push(
      kind === "link"
        ? { path, link: await readTarget(fullPath) }
        : { path, ...(await inspectSourceFile(fullPath, signal)) },
    );
  }
  return table
    .map((entry) => ({ entry, key: Buffer.from(entry.path) }))
    .sort((a, b) => Buffer.compare(a.key, b.key))
    .map(({ entry }) => entry);
}

interface Found {
  readonly path: string;
  readonly kind: "file" | "link";
}

async function* walk(root: string, below: string): AsyncGenerator<Found, void, undefined> {
  for (const name of await namesIn(join(root, below))) {
    const path = below === "" ? name : `${below}/${name}`;
    if (path === manifestPath) continue;
    if (name.includes("\ufffd")) {
      throw unsupported(path, "has a name that is not UTF-8; rename it");
    }
    const stats = await statsOf(join(root, path));
    if (stats.isDirectory()) yield* walk(root, path);
    else if (stats.isFile()) yield { path, kind: "file" };
    else if (stats.isSymbolicLink()) yield { path, kind: "link" };
    else {
      throw unsupported(
        path,
        "is a socket, a device or a FIFO; remove it, a capsule holds files and links",
      );
    }
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    throw readError(folder, error);
  }
}

async function statsOf(path: string): Promise<Stats> {
  try {
    return await lstat(path);
  } catch (error) {
    throw readError(path, error);
  }
}

function unsupported(path: string, what: string): PackError {
  return new PackError("ERR_PACK_UNSUPPORTED_FILE", `${JSON.stringify(path)} ${what}`);
}
