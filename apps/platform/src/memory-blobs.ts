import { type BlobExpectation, type BlobStore, type ByteRange, checked } from "./blobs.ts";

/** Blobs that end with the process: for tests and trials. */
export class MemoryBlobs implements BlobStore {
  readonly #blobs = new Map<string, Uint8Array>();

  async put(expected: BlobExpectation, body: AsyncIterable<Uint8Array>): Promise<void> {
    const chunks: Uint8Array[] = [];
    for await (const chunk of checked(expected, body)) chunks.push(chunk);
    this.#blobs.set(expected.sha256, Buffer.concat(chunks));
  }

  async size(sha256: string): Promise<number | undefined> {
    return this.#blobs.get(sha256)?.byteLength;
  }

  async *read(sha256: string, range?: ByteRange): AsyncGenerator<Uint8Array, void> {
    const blob = this.#blobs.get(sha256);
    if (!blob) throw new Error(`there is no blob ${sha256}`);
    yield range ? blob.subarray(range.first, range.last + 1) : blob;
  }
}
