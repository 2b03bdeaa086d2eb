import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { BlobStore } from "../blobs.ts";

/** One rule that every blob store keeps. */
export interface BlobCase {
  readonly name: string;
  run(blobs: BlobStore): Promise<void>;
}

const bytes = Buffer.from("0123456789".repeat(60_000));
const sha256 = createHash("sha256").update(bytes).digest("hex");
const expected = { sha256, size: bytes.length };

async function* inChunks(content: Buffer, chunk = 65_536): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < content.length; at += chunk) yield content.subarray(at, at + chunk);
}

async function readAll(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** What a {@link BlobStore} promises, as cases that any implementation can run on an empty one. */
export const blobContract: readonly BlobCase[] = [
  {
    name: "what was put is read back, whole and in parts",
    async run(blobs) {
      await blobs.put(expected, inChunks(bytes));
      assert.equal(await blobs.size(sha256), bytes.length);
      assert.ok((await readAll(blobs.read(sha256))).equals(bytes));
      const part = await readAll(blobs.read(sha256, { first: 3, last: 300_000 }));
      assert.ok(part.equals(bytes.subarray(3, 300_001)));
    },
  },
  {
    name: "the same again changes nothing",
    async run(blobs) {
      await blobs.put(expected, inChunks(bytes));
      await blobs.put(expected, inChunks(bytes, 1_000));
      assert.ok((await readAll(blobs.read(sha256))).equals(bytes));
    },
  },
  {
    name: "what is missing has no size and cannot be read",
    async run(blobs) {
      assert.equal(await blobs.size(sha256), undefined);
      await assert.rejects(readAll(blobs.read(sha256)));
    },
  },
  {
    name: "a body that is short, long or something else is refused and not kept",
    async run(blobs) {
      const cases = [
        [bytes.subarray(1), "ERR_PLATFORM_TRUNCATED"],
        [Buffer.concat([bytes, bytes]), "ERR_PLATFORM_TOO_LARGE"],
        [Buffer.alloc(bytes.length), "ERR_PLATFORM_DIGEST"],
      ] as const;
      for (const [body, code] of cases) {
        await assert.rejects(blobs.put(expected, inChunks(body)), { code });
        assert.equal(await blobs.size(sha256), undefined);
      }
    },
  },
  {
    name: "a body that breaks is not kept, and its error comes through",
    async run(blobs) {
      const broken = new Error("the link is down");
      async function* half(): AsyncGenerator<Uint8Array> {
        yield bytes.subarray(0, 1_000);
        throw broken;
      }
      await assert.rejects(blobs.put(expected, half()), broken);
      assert.equal(await blobs.size(sha256), undefined);
    },
  },
  {
    name: "two who put the same at once both succeed",
    async run(blobs) {
      await Promise.all([
        blobs.put(expected, inChunks(bytes)),
        blobs.put(expected, inChunks(bytes, 7_777)),
      ]);
      assert.ok((await readAll(blobs.read(sha256))).equals(bytes));
    },
  },
];
