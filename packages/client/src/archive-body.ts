import type { Call } from "./transport.ts";

/** An archive to upload. */
export interface ArchiveSource {
  /** A `Blob` can be sent again after a failure (`fs.openAsBlob` in Node); a stream cannot. */
  readonly body: Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;
  /** Its length in bytes. */
  readonly size: number;
  /** Its sha256, 64 hex digits. */
  readonly sha256: string;
}

/** What an upload of `archive` has beside its path. */
export function archiveBody({ body, size, sha256 }: ArchiveSource) {
  const stream = body instanceof Blob || body instanceof ReadableStream ? body : toStream(body);
  const digest = btoa(String.fromCharCode(...bytesOfHex(sha256)));
  return {
    headers: {
      "content-type": "application/octet-stream",
      "content-length": String(size),
      "content-digest": `sha-256=:${digest}:`, // RFC 9530
    },
    body: () => stream,
    repeatable: body instanceof Blob,
  } satisfies Partial<Call>;
}

/** By hand: browsers have no `ReadableStream.from` yet. */
function toStream(source: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = source[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}

function bytesOfHex(hex: string): number[] {
  return (hex.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
}
