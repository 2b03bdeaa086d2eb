import { isDigest } from "@roboticks/core/digest";
import { ArchiveError } from "./errors.ts";
import { type Limits, resolveLimits } from "./limits.ts";
import { PathTree } from "./path-tree.ts";
import { type FileEntry, type LinkEntry, manifestPath, type TableEntry } from "./table.ts";

/**
 * Judges a whole table of files before anything of it is written: every path must stay inside
 * the folder on every system, and no two rows may land in one place.
 *
 * @throws {ArchiveError} for the first row that is refused: `ERR_ARCHIVE_UNSAFE_PATH`,
 * `ERR_ARCHIVE_UNSAFE_LINK`, `ERR_ARCHIVE_COLLISION`, `ERR_ARCHIVE_INVALID_ENTRY` or
 * `ERR_ARCHIVE_LIMIT`
 */
export function judgeTable(table: readonly TableEntry[], limits: Partial<Limits> = {}): void {
  const most = resolveLimits(limits);
  if (table.length > most.entries) {
    throw tooMuch(`the table has ${table.length} entries`, "entries", most.entries);
  }
  const tree = new PathTree();
  tree.add(manifestPath, "file");
  let totalBytes = 0;
  for (const entry of table) {
    judgePath(entry.path, most);
    if ("link" in entry) judgeTarget(entry, most);
    else totalBytes += judgeFile(entry, most);
    if (totalBytes > most.totalBytes) {
      throw tooMuch(`the files have ${totalBytes} bytes or more`, "totalBytes", most.totalBytes);
    }
    tree.add(entry.path, "link" in entry ? "link" : "file");
  }
  for (const entry of table) {
    if ("link" in entry) judgeWay(entry, tree);
  }
}

function judgePath(path: string, most: Limits): void {
  const quoted = JSON.stringify(path);
  const refuse = (why: string): ArchiveError =>
    new ArchiveError("ERR_ARCHIVE_UNSAFE_PATH", `path ${quoted} ${why}; rename it`);
  if (path.startsWith("/")) throw refuse("is absolute");
  if (!isPlainText(path)) throw refuse("holds a backslash, a control or an invalid character");
  const bytes = Buffer.byteLength(path);
  if (bytes > most.pathBytes) {
    throw tooMuch(`path ${quoted} has ${bytes} bytes`, "pathBytes", most.pathBytes);
  }
  const segments = path.split("/");
  if (segments.length > most.depth) {
    throw tooMuch(`path ${quoted} has ${segments.length} segments`, "depth", most.depth);
  }
  for (const segment of segments) {
    if (segment === "") throw refuse("has an empty segment");
    if (segment === "." || segment === "..") throw refuse(`has a segment "${segment}"`);
    if (Buffer.byteLength(segment) > most.nameBytes) {
      throw tooMuch(`a segment of ${quoted} is too long`, "nameBytes", most.nameBytes);
    }
  }
}

/** @returns the file's bytes */
function judgeFile({ path, mode, size, digest }: FileEntry, most: Limits): number {
  const refuse = (why: string): ArchiveError =>
    new ArchiveError("ERR_ARCHIVE_INVALID_ENTRY", `file ${JSON.stringify(path)} ${why}`);
  if (mode !== "0644" && mode !== "0755") {
    throw refuse(`has mode ${JSON.stringify(mode)}; use 0644 or 0755`);
  }
  if (!Number.isSafeInteger(size) || size < 0) throw refuse(`has size ${size}; give its bytes`);
  if (!isDigest(digest)) throw refuse("has no sha256 digest; give one");
  if (size > most.fileBytes) {
    throw tooMuch(`file ${JSON.stringify(path)} has ${size} bytes`, "fileBytes", most.fileBytes);
  }
  return size;
}

function judgeTarget(entry: LinkEntry, most: Limits): void {
  if (entry.link === "") throw unsafeLink(entry, "points nowhere");
  if (entry.link.startsWith("/")) throw unsafeLink(entry, "is absolute");
  if (!isPlainText(entry.link)) {
    throw unsafeLink(entry, "holds a backslash, a control or an invalid character");
  }
  const bytes = Buffer.byteLength(entry.link);
  if (bytes > most.pathBytes) {
    const what = `the target of link ${JSON.stringify(entry.path)} has ${bytes} bytes`;
    throw tooMuch(what, "pathBytes", most.pathBytes);
  }
}

/**
 * Walks from the link's folder to its target. Nothing on the way may be a link itself: only
 * then does `..` mean what it says. The target may be one (`lib.so` → `lib.so.1` → `lib.so.1.2`).
 */
function judgeWay(entry: LinkEntry, tree: PathTree): void {
  const place = entry.path.split("/").slice(0, -1);
  const steps = entry.link.split("/");
  for (const [index, step] of steps.entries()) {
    if (step === "..") {
      if (place.pop() === undefined) throw unsafeLink(entry, "leaves the capsule");
    } else if (step !== "." && step !== "") {
      place.push(step);
    }
    if (index < steps.length - 1 && place.length > 0 && tree.isLink(place.join("/"))) {
      throw unsafeLink(entry, `goes through the link ${JSON.stringify(place.join("/"))}`);
    }
  }
}

function unsafeLink({ path, link }: LinkEntry, why: string): ArchiveError {
  return new ArchiveError(
    "ERR_ARCHIVE_UNSAFE_LINK",
    `link ${JSON.stringify(path)} → ${JSON.stringify(link)} ${why}; point it at a file or folder of the capsule`,
  );
}

function tooMuch(what: string, name: keyof Limits, most: number): ArchiveError {
  return new ArchiveError(
    "ERR_ARCHIVE_LIMIT",
    `${what}, the limit is ${most}; make it smaller or raise limits.${name}`,
  );
}

/** No control character (C0, DEL, C1), no backslash, no half of a surrogate pair. */
function isPlainText(text: string): boolean {
  return text.isWellFormed() && !/[\p{Cc}\\]/u.test(text);
}
