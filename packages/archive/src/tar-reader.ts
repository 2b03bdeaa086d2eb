import { ArchiveError } from "./errors.ts";
import {
  badTar,
  blockSize,
  parseGnuName,
  parseHeader,
  parsePax,
  type TarExtension,
  type TarHeader,
} from "./tar-header.ts";

/** An entry of a tar, extended headers taken in. */
export interface TarEntry {
  readonly type: "file" | "link";
  readonly path: string;
  readonly mode: number;
  readonly size: number;
  /** Target of a link, else "". */
  readonly link: string;
}

/** What a tar says next. Every `entry` is followed by its `data`, if it has any, and an `end`. */
export type TarEvent =
  | { readonly kind: "entry"; readonly entry: TarEntry }
  | { readonly kind: "data"; readonly bytes: Buffer }
  | { readonly kind: "end" };

/** A path and a link's target of 1,024 bytes each fit many times. */
const mostExtensionBytes = 16_384;

/** Zeros after the end of the tar: GNU fills up to 10 KiB, larger blocking factors are rare. */
const mostZeroBlocks = 2_048;

/** An extended header that is being read. */
interface Extending {
  readonly type: TarHeader["type"];
  readonly bytes: Buffer;
}

/**
 * Reads a tar as it arrives. Knows regular files, symbolic links and the headers that give them
 * long names, and refuses all else: what two readers could understand differently is an attack.
 */
export class TarReader {
  readonly #block = Buffer.alloc(blockSize);
  #filled = 0;
  /** Bytes to come of the entry or extended header, then zeros up to the next block. */
  #left = 0;
  #padding = 0;
  #extending: Extending | undefined;
  #extension: TarExtension | undefined;
  #zeroBlocks = 0;

  /**
   * @throws {ArchiveError} `ERR_ARCHIVE_FORMAT`, or `ERR_ARCHIVE_TRAILING_DATA` when something
   * follows the end of the tar
   */
  *read(chunk: Buffer): Generator<TarEvent, void, undefined> {
    let at = 0;
    while (at < chunk.length) {
      if (this.#left > 0) {
        const bytes = chunk.subarray(at, at + this.#left);
        at += bytes.length;
        const extending = this.#extending;
        if (extending) this.#extend(extending, bytes);
        else yield { kind: "data", bytes };
        this.#left -= bytes.length;
        if (this.#left === 0 && !extending) yield { kind: "end" };
      } else if (this.#padding > 0) {
        const bytes = chunk.subarray(at, at + this.#padding);
        at += bytes.length;
        this.#padding -= bytes.length;
        if (!isZero(bytes)) throw badTar("hides bytes behind the end of a file");
      } else {
        const copied = chunk.copy(this.#block, this.#filled, at, at + blockSize - this.#filled);
        at += copied;
        this.#filled += copied;
        if (this.#filled < blockSize) return;
        this.#filled = 0;
        yield* this.#takeBlock();
      }
    }
  }

  /** @throws {ArchiveError} `ERR_ARCHIVE_TRUNCATED` when the tar may not end here */
  end(): void {
    if (this.#zeroBlocks >= 2 && this.#filled === 0) return;
    throw new ArchiveError(
      "ERR_ARCHIVE_TRUNCATED",
      "the archive ends before its tar does; fetch it again",
    );
  }

  *#takeBlock(): Generator<TarEvent, void, undefined> {
    if (isZero(this.#block)) {
      if (this.#extension) throw badTar("has an extended header without an entry");
      this.#zeroBlocks++;
      if (this.#zeroBlocks > mostZeroBlocks) throw trailing("more zeros than any tar has");
      return;
    }
    if (this.#zeroBlocks === 1) throw badTar("has an empty block between its entries");
    if (this.#zeroBlocks > 1) throw trailing("something");
    const header = parseHeader(this.#block);
    this.#left = header.size;
    this.#padding = (blockSize - (header.size % blockSize)) % blockSize;
    if (header.type === "file" || header.type === "link") {
      yield { kind: "entry", entry: this.#resolve(header, header.type) };
      if (header.size === 0) yield { kind: "end" };
      return;
    }
    if (header.size === 0 || header.size > mostExtensionBytes) {
      throw badTar(`has an extended header of ${header.size} bytes`);
    }
    this.#extending = { type: header.type, bytes: Buffer.alloc(header.size) };
  }

  #resolve(header: TarHeader, type: TarEntry["type"]): TarEntry {
    const { path = header.path, link = header.link, size = header.size } = this.#extension ?? {};
    this.#extension = undefined;
    // Readers that believe one and readers that believe the other would see two archives.
    if (size !== header.size) {
      throw badTar(`gives ${JSON.stringify(path)} two sizes, ${header.size} and ${size}`);
    }
    if (type === "link" && size !== 0) {
      throw badTar(`has the link ${JSON.stringify(path)} with ${size} bytes of content`);
    }
    return { type, path, mode: header.mode, size, link: type === "link" ? link : "" };
  }

  #extend({ type, bytes }: Extending, piece: Buffer): void {
    piece.copy(bytes, bytes.length - this.#left);
    if (piece.length < this.#left) return;
    this.#extending = undefined;
    const extension = readExtension(type, bytes);
    for (const key of Object.keys(extension)) {
      if (this.#extension && key in this.#extension) {
        throw badTar(`gives the ${key} of an entry twice`);
      }
    }
    this.#extension = { ...this.#extension, ...extension };
  }
}

function readExtension(type: TarHeader["type"], bytes: Buffer): TarExtension {
  if (type === "pax") return parsePax(bytes);
  return type === "gnuPath" ? { path: parseGnuName(bytes) } : { link: parseGnuName(bytes) };
}

function trailing(what: string): ArchiveError {
  return new ArchiveError(
    "ERR_ARCHIVE_TRAILING_DATA",
    `after the end of the tar comes ${what}; use an archive that pack has made`,
  );
}

const zeros = Buffer.alloc(blockSize);

function isZero(bytes: Buffer): boolean {
  return bytes.equals(zeros.subarray(0, bytes.length));
}
