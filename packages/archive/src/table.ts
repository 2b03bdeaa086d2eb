import type { Digest } from "@roboticks/core/digest";

/** A regular file of a capsule. */
export interface FileEntry {
  /** Relative to the capsule's folder, `/` between segments. */
  readonly path: string;
  /** Permissions, in octal. */
  readonly mode: "0644" | "0755";
  /** Bytes. */
  readonly size: number;
  readonly digest: Digest;
}

/** A symbolic link of a capsule. */
export interface LinkEntry {
  readonly path: string;
  /** Where it points, relative to the folder it lies in; inside the capsule. */
  readonly link: string;
}

/**
 * A row of the manifest's table of files. The table is the artifact, tar only carries it:
 * folders are implied by paths and have mode 0755.
 */
export type TableEntry = FileEntry | LinkEntry;

/** The manifest's name: first entry of every archive, in no table. */
export const manifestPath = "capsule.json";

/** The bytes of all files of a table. */
export function totalSize(table: readonly TableEntry[]): number {
  return table.reduce((sum, entry) => sum + ("link" in entry ? 0 : entry.size), 0);
}
