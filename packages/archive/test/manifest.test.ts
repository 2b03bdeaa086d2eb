import { describe, expect, it } from "vitest";
import { readManifest } from "../src/index.ts";
import { compress, end, entriesOf, file, frames, manifestOf, pieces, tableOf } from "./tiny-tar.ts";

const contents = { a: "a".repeat(1_000), b: Buffer.alloc(500_000, "b") };
const table = tableOf(contents);

describe("readManifest", () => {
  it.each(["zstd", "gzip"] as const)(
    "reads the first frame and closes the source (%s)",
    async (compression) => {
      const [first = end, ...rest] = frames(table, entriesOf(contents), { compression });
      const closed = Promise.withResolvers<void>();
      async function* source(): AsyncGenerator<Buffer> {
        try {
          yield first;
          for (;;) {
            yield* rest;
            await new Promise(setImmediate); // as a socket would: never all at once
          }
        } finally {
          closed.resolve();
        }
      }
      const manifest = await readManifest(source());
      expect(Buffer.from(manifest).toString()).toBe(manifestOf(table));
      await expect(closed.promise).resolves.toBeUndefined();
    },
  );

  it("needs only the first frame", async () => {
    const [first = Buffer.alloc(0)] = frames(table, entriesOf(contents));
    const manifest = await readManifest(pieces(first, 10));
    expect(Buffer.from(manifest).toString()).toBe(manifestOf(table));
  });

  it("does not wait for a source that hangs behind the manifest", async () => {
    const [first = Buffer.alloc(0)] = frames(table, entriesOf(contents));
    async function* source(): AsyncGenerator<Buffer> {
      yield first;
      await new Promise(() => {}); // hangs for good
    }
    expect(Buffer.from(await readManifest(source())).toString()).toBe(manifestOf(table));
  });

  it("refuses a manifest over the limit, another first entry, and a cut", async () => {
    const bytes = Buffer.concat(frames(table, entriesOf(contents)));
    const limits = { manifestBytes: 10 };
    await expect(readManifest(pieces(bytes), { limits })).rejects.toMatchObject({
      code: "ERR_ARCHIVE_LIMIT",
    });
    const other = Buffer.concat(compress("gzip", [file("x", "{}"), end]));
    await expect(readManifest(pieces(other))).rejects.toMatchObject({
      code: "ERR_ARCHIVE_MISMATCH",
    });
    await expect(readManifest(pieces(bytes.subarray(0, 60)))).rejects.toMatchObject({
      code: "ERR_ARCHIVE_TRUNCATED",
    });
  });

  it("can be cancelled while the source hangs", async () => {
    const controller = new AbortController();
    async function* source(): AsyncGenerator<Buffer> {
      queueMicrotask(() => controller.abort(new Error("enough")));
      await new Promise(() => {}); // hangs for good
      yield Buffer.alloc(0);
    }
    await expect(readManifest(source(), { signal: controller.signal })).rejects.toThrow("enough");
  });
});
