import type { TransformOptions } from "node:stream";
import { pipeline } from "node:stream/promises";
import { constants, createGunzip, createZstdDecompress } from "node:zlib";
import { abortable } from "./abortable.ts";
import { ArchiveError } from "./errors.ts";
import { ZstdFrames } from "./zstd-frames.ts";

/**
 * Inflated bytes come in pieces of this size: with Node's 16 KiB it takes twice the time, with
 * 1 MiB no less than with this, and more memory.
 */
const chunkSize = 256 * 1024;

/** Chunks wait while the next is made; more than two would only take memory. */
const decoderOptions: Pick<TransformOptions, "readableHighWaterMark"> & {
  readonly chunkSize: number;
} = {
  chunkSize,
  readableHighWaterMark: 2 * chunkSize,
};

/**
 * The most memory that a zstd frame may ask for, as a power of two: 8 MiB, which RFC 8878
 * recommends that every decoder supports and `zstd -19` stays within.
 */
const windowLogMax = 23;

type Bytes = AsyncIterable<Uint8Array>;

/**
 * The tar inside `source`: gzip members or zstd frames, told by the first bytes. Reads ahead by
 * about a chunk, so that inflating (in a thread of the pool) and what the caller does with the
 * bytes go on at the same time.
 *
 * @throws {ArchiveError} `ERR_ARCHIVE_FORMAT`, `ERR_ARCHIVE_CORRUPT`, `ERR_ARCHIVE_TRUNCATED`,
 * `ERR_ARCHIVE_TRAILING_DATA` or `ERR_ARCHIVE_LIMIT`
 * @throws what `source` throws, and `signal.reason` once `signal` is aborted
 */
export async function* inflate(
  source: Bytes,
  { signal }: { readonly signal?: AbortSignal } = {},
): AsyncGenerator<Buffer, void, undefined> {
  const input = abortable(source, signal);
  try {
    const { first, isGzip } = await readMagic(input);
    const chunks = prepend(first, input);
    yield* isGzip ? gunzip(chunks) : unzstd(chunks);
  } finally {
    // Not awaited: a source that hangs would keep us here.
    input.return().catch(() => {}); // we are through with it, and so is its failure
  }
}

async function* gunzip(chunks: Bytes): AsyncGenerator<Buffer, void, undefined> {
  const decoder = createGunzip(decoderOptions);
  let length = 0;
  async function* counted(): Bytes {
    for await (const chunk of chunks) {
      length += chunk.length;
      yield chunk;
    }
  }
  yield* decode(counted(), decoder);
  // gunzip takes zeros after a member for padding and leaves them, with all that follows.
  if (decoder.bytesWritten !== length) {
    throw new ArchiveError(
      "ERR_ARCHIVE_TRAILING_DATA",
      "after the last gzip member of the archive come more bytes; fetch it again",
    );
  }
}

async function* unzstd(chunks: Bytes): AsyncGenerator<Buffer, void, undefined> {
  async function* framed(): Bytes {
    const frames = new ZstdFrames();
    for await (const chunk of chunks) yield* frames.cut(chunk);
    frames.end();
  }
  const params = { [constants.ZSTD_d_windowLogMax]: windowLogMax };
  yield* decode(framed(), createZstdDecompress({ ...decoderOptions, params }));
}

type Decoder = ReturnType<typeof createGunzip> | ReturnType<typeof createZstdDecompress>;

async function* decode(
  compressed: Bytes,
  decoder: Decoder,
): AsyncGenerator<Buffer, void, undefined> {
  const fed = pipeline(compressed, decoder);
  fed.catch(() => {}); // the decoder is destroyed with the same error, which the loop throws
  try {
    for await (const chunk of decoder) yield chunk;
    await fed;
  } catch (error) {
    throw inflateError(error);
  }
}

function inflateError(error: unknown): unknown {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  if (code === "Z_BUF_ERROR") {
    return new ArchiveError(
      "ERR_ARCHIVE_TRUNCATED",
      "the archive is cut short or damaged; fetch it again",
      { cause: error },
    );
  }
  if (code === "ZSTD_error_frameParameter_windowTooLarge") {
    return new ArchiveError(
      "ERR_ARCHIVE_LIMIT",
      `the archive needs a zstd window of more than ${2 ** windowLogMax} bytes; compress it without --long or --ultra`,
      { cause: error },
    );
  }
  if (code.startsWith("Z_") || code.startsWith("ZSTD_")) {
    return new ArchiveError("ERR_ARCHIVE_CORRUPT", "the archive is damaged; fetch it again", {
      cause: error,
    });
  }
  return error;
}

/** Reads until the four bytes are there that tell the format. */
async function readMagic(
  input: AsyncIterator<Uint8Array>,
): Promise<{ readonly first: Buffer; readonly isGzip: boolean }> {
  let first = Buffer.alloc(0);
  while (first.length < 4) {
    const { value, done } = await input.next();
    if (done) {
      throw new ArchiveError(
        "ERR_ARCHIVE_TRUNCATED",
        `the archive ends after ${first.length} bytes; fetch it again`,
      );
    }
    first = Buffer.concat([first, value]);
  }
  const isGzip = first.readUInt16BE(0) === 0x1f8b;
  if (!isGzip && first.readUInt32LE(0) !== 0xfd2fb528) {
    throw new ArchiveError(
      "ERR_ARCHIVE_FORMAT",
      "the archive is neither gzip nor zstd; use one that pack has made",
    );
  }
  return { first, isGzip };
}

async function* prepend(first: Uint8Array, rest: AsyncIterableIterator<Uint8Array>): Bytes {
  yield first;
  yield* rest;
}
