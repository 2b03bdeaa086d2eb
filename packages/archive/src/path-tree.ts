import { ArchiveError } from "./errors.ts";

type Kind = "file" | "folder" | "link";

/**
 * The tree that a table describes, on the least able file system that it may land on: one
 * that neither tells upper from lower case nor composed from decomposed characters.
 */
export class PathTree {
  readonly #nodes = new Map<string, { readonly path: string; readonly kind: Kind }>();
  readonly #folders = new Set<string>();

  /**
   * Adds a file or link, and the folders above it.
   *
   * @throws {ArchiveError} `ERR_ARCHIVE_COLLISION` where something else has the place
   */
  add(path: string, kind: "file" | "link"): void {
    for (let slash = path.indexOf("/"); slash !== -1; slash = path.indexOf("/", slash + 1)) {
      const folder = path.slice(0, slash);
      if (this.#folders.has(folder)) continue;
      this.#claim(folder, "folder");
      this.#folders.add(folder);
    }
    this.#claim(path, kind);
  }

  /** Whether `path` is a link, in whatever spelling. */
  isLink(path: string): boolean {
    return this.#nodes.get(fold(path))?.kind === "link";
  }

  #claim(path: string, kind: Kind): void {
    const key = fold(path);
    const taken = this.#nodes.get(key);
    if (taken) {
      const [first, second] = [describe(taken.path, taken.kind), describe(path, kind)];
      throw new ArchiveError(
        "ERR_ARCHIVE_COLLISION",
        taken.path === path && taken.kind === kind
          ? `${first} is in the table twice; list it once`
          : `${first} and ${second} take the same place on disk; rename one of them`,
      );
    }
    this.#nodes.set(key, { path, kind });
  }
}

function describe(path: string, kind: Kind): string {
  return `${kind} ${JSON.stringify(path)}`;
}

/**
 * What stands for all spellings that a file system may take for the same name. Lower before
 * upper, because ẞ has no upper case of its own but ß does (SS).
 */
function fold(path: string): string {
  if (/^[\x20-\x7e]*$/.test(path)) return path.toUpperCase();
  return path.normalize("NFD").toLowerCase().toUpperCase().normalize("NFC");
}
