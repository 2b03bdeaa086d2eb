import { ArchiveError } from "./errors.ts";

/** Everything in a tar comes in blocks of this many bytes. */
export const blockSize = 512;

/** What a header block announces: an entry, or more about the entry that follows. */
export interface TarHeader {
  readonly type: "file" | "link" | "pax" | "gnuPath" | "gnuLink";
  readonly path: string;
  readonly mode: number;
  readonly size: number;
  /** Target of a link, else "". */
  readonly link: string;
}

/** What extended headers say of the entry that follows them. */
export interface TarExtension {
  path?: string;
  link?: string;
  size?: number;
}

const types: Readonly<Record<string, TarHeader["type"]>> = {
  "0": "file",
  "\0": "file",
  "2": "link",
  x: "pax",
  L: "gnuPath",
  K: "gnuLink",
};

const refused: Readonly<Record<string, string>> = {
  "1": "a hard link",
  "3": "a character device",
  "4": "a block device",
  "5": "a folder entry (paths imply folders)",
  "6": "a FIFO",
  g: "a global pax header",
  S: "a sparse file",
};

/**
 * Reads a header block as ustar, pax and GNU write it.
 *
 * @throws {ArchiveError} `ERR_ARCHIVE_FORMAT` for anything that a capsule's archive does not hold
 */
export function parseHeader(block: Buffer): TarHeader {
  if (checksum(block) !== octal(block, 148, 8, "checksum")) {
    throw badTar("has a header whose checksum is wrong");
  }
  const magic = block.toString("latin1", 257, 265);
  const isUstar = magic === "ustar\x0000";
  if (!isUstar && magic !== "ustar  \0") throw badTar("has a header that is not ustar, pax or GNU");
  const name = text(block, 0, 100);
  const flag = block.toString("latin1", 156, 157);
  const type = types[flag];
  if (type === undefined) {
    const what = refused[flag] ?? `an entry of type ${JSON.stringify(flag)}`;
    throw badTar(`holds ${what}, ${JSON.stringify(name)}`);
  }
  // GNU keeps other things where ustar has the beginning of a long path.
  const prefix = isUstar ? text(block, 345, 155) : "";
  return {
    type,
    path: prefix === "" ? name : `${prefix}/${name}`,
    mode: octal(block, 100, 8, "mode") & 0o7777,
    size: octal(block, 124, 12, "size"),
    link: text(block, 157, 100),
  };
}

/** Keys of a pax header that say nothing about what the entry is. */
const harmless = new Set(["mtime", "atime", "ctime", "uid", "gid", "uname", "gname", "comment"]);

/**
 * Reads the records of a pax header (`27 path=some/long/name\n`, the length in bytes).
 *
 * @throws {ArchiveError} `ERR_ARCHIVE_FORMAT` for a broken record, one given twice, or a key
 * whose meaning would be lost
 */
export function parsePax(bytes: Buffer): TarExtension {
  const found = new Map<string, string>();
  for (let at = 0; at < bytes.length; ) {
    const space = bytes.indexOf(" ", at, "latin1");
    const digits = bytes.toString("latin1", at, Math.max(at, space));
    const end = at + Number(digits);
    const equals = bytes.indexOf("=", space, "latin1");
    const isWhole = /^[1-9]\d{0,9}$/.test(digits) && end <= bytes.length && bytes[end - 1] === 0x0a;
    if (!isWhole || equals === -1 || equals >= end) throw badTar("has a broken pax record");
    const key = utf8(bytes.subarray(space + 1, equals));
    if (found.has(key)) throw badTar(`gives the pax key ${JSON.stringify(key)} twice`);
    found.set(key, utf8(bytes.subarray(equals + 1, end - 1)));
    at = end;
  }
  const extension: TarExtension = {};
  for (const [key, value] of found) {
    if (key === "path") extension.path = value;
    else if (key === "linkpath") extension.link = value;
    else if (key === "size" && /^\d{1,16}$/.test(value)) extension.size = Number(value);
    else if (!harmless.has(key)) {
      throw badTar(`has the pax record ${JSON.stringify(`${key}=${value}`.slice(0, 80))}`);
    }
  }
  return extension;
}

/** The text of a GNU long name: up to its NUL, which is the last byte. */
export function parseGnuName(bytes: Buffer): string {
  return text(bytes, 0, bytes.length);
}

/** An `ERR_ARCHIVE_FORMAT` for a tar that `what` ("holds a FIFO"). */
export function badTar(what: string): ArchiveError {
  return new ArchiveError(
    "ERR_ARCHIVE_FORMAT",
    `the tar in the archive ${what}; use an archive that pack has made`,
  );
}

/** The sum of a header's bytes, its own checksum field read as blanks. */
function checksum(block: Buffer): number {
  let sum = 8 * 0x20;
  for (let index = 0; index < blockSize; index++) {
    if (index < 148 || index >= 156) sum += block[index] ?? 0;
  }
  return sum;
}

/**
 * A number in octal digits. GNU's base-256 form is refused: it is there for what octal cannot
 * say, files of 8 GiB and negative numbers.
 */
function octal(block: Buffer, start: number, length: number, what: string): number {
  const match = /^ *([0-7]+)[ \0]*$/.exec(block.toString("latin1", start, start + length));
  if (!match) throw badTar(`has a header whose ${what} is no octal number`);
  return Number.parseInt(match[1] ?? "", 8);
}

function text(block: Buffer, start: number, length: number): string {
  const field = block.subarray(start, start + length);
  const end = field.indexOf(0);
  return utf8(end === -1 ? field : field.subarray(0, end));
}

function utf8(bytes: Buffer): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new ArchiveError(
      "ERR_ARCHIVE_FORMAT",
      "the tar in the archive has a name that is not UTF-8; use an archive that pack has made",
      { cause },
    );
  }
}
