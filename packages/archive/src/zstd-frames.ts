import { ArchiveError } from "./errors.ts";

const magic = 0xfd2fb528;
const compressedBlock = 2;
const reservedBlock = 3;

/** The part of a frame that the next bytes belong to. */
type Part = "magic" | "descriptor" | "header" | "block" | "content" | "checksum";

/**
 * Follows the frames of a zstd stream (RFC 8878, section 3) without decoding them, and cuts its
 * chunks where a frame ends. Node's decoder needs that: whatever follows the end of a frame
 * within one write it drops without a word, as it does with bytes that are no frame at all.
 */
export class ZstdFrames {
  #part: Part = "magic";
  /** Bytes still missing of the part. */
  #missing = 4;
  /** The part's bytes so far, as a little-endian number; kept for the short parts. */
  #value = 0;
  #read = 0;
  #checksum = false;
  #lastBlock = false;
  #frames = 0;

  /** The pieces of `chunk`, none of which reaches past the end of a frame. */
  *cut(chunk: Uint8Array): Generator<Uint8Array> {
    let start = 0;
    let at = 0;
    while (at < chunk.length) {
      at += this.#take(chunk, at);
      while (this.#missing === 0) {
        if (!this.#next()) continue;
        yield chunk.subarray(start, at);
        start = at;
      }
    }
    if (start < at) yield chunk.subarray(start, at);
  }

  /** @throws {ArchiveError} `ERR_ARCHIVE_TRUNCATED` when the stream may not end here */
  end(): void {
    if (this.#part === "magic" && this.#missing === 4 && this.#frames > 0) return;
    throw new ArchiveError(
      "ERR_ARCHIVE_TRUNCATED",
      "the archive ends within a zstd frame; fetch it again",
    );
  }

  #take(chunk: Uint8Array, at: number): number {
    const taken = Math.min(this.#missing, chunk.length - at);
    if (this.#part === "magic" || this.#part === "descriptor" || this.#part === "block") {
      for (let index = 0; index < taken; index++) {
        this.#value += (chunk[at + index] ?? 0) * 2 ** (8 * this.#read++);
      }
    }
    this.#missing -= taken;
    return taken;
  }

  /** Goes from a whole part to the next one; true where a frame has ended. */
  #next(): boolean {
    const value = this.#value;
    switch (this.#part) {
      case "magic":
        if (value !== magic) throw this.#noFrame();
        this.#begin("descriptor", 1);
        return false;
      case "descriptor":
        this.#checksum = (value & 0b100) !== 0;
        this.#begin("header", headerSize(value));
        return false;
      case "header":
        this.#begin("block", 3);
        return false;
      case "block": {
        const type = (value >> 1) & 0b11;
        if (type === reservedBlock) {
          throw new ArchiveError(
            "ERR_ARCHIVE_CORRUPT",
            "a zstd block of the archive has a type that does not exist; fetch it again",
          );
        }
        this.#lastBlock = (value & 1) === 1;
        // A raw block holds its bytes, a run-length block one byte, whatever it stands for.
        this.#begin("content", type === 0 || type === compressedBlock ? value >> 3 : 1);
        return false;
      }
      case "content":
        if (!this.#lastBlock) this.#begin("block", 3);
        else if (this.#checksum) this.#begin("checksum", 4);
        else return this.#endFrame();
        return false;
      case "checksum":
        return this.#endFrame();
    }
  }

  #begin(part: Part, missing: number): void {
    this.#part = part;
    this.#missing = missing;
    this.#value = 0;
    this.#read = 0;
  }

  #endFrame(): true {
    this.#frames++;
    this.#begin("magic", 4);
    return true;
  }

  #noFrame(): ArchiveError {
    return this.#frames === 0
      ? new ArchiveError("ERR_ARCHIVE_FORMAT", "the archive does not begin with a zstd frame")
      : new ArchiveError(
          "ERR_ARCHIVE_TRAILING_DATA",
          "after a zstd frame of the archive comes something that is none; fetch it again",
        );
  }
}

/** Bytes of a frame header after its descriptor. */
function headerSize(descriptor: number): number {
  const single = (descriptor & 0b10_0000) !== 0;
  const dictionary = [0, 1, 2, 4][descriptor & 0b11] ?? 0;
  const contentFlag = descriptor >> 6;
  const content = contentFlag === 0 ? (single ? 1 : 0) : 2 ** contentFlag;
  return (single ? 0 : 1) + dictionary + content;
}
