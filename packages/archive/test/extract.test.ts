import { lstat, mkdir, readdir, readFile, readlink, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type ExtractOptions, extractArchive, verifyTree } from "../src/index.ts";
import { expectNothingIn, scratch } from "./scratch.ts";
import {
  type Contents,
  compress,
  end,
  entriesOf,
  file,
  frames,
  manifestOf,
  pieces,
  readTable,
  tableOf,
} from "./tiny-tar.ts";

const place = scratch();

const contents: Contents = {
  "bin/run": "#!/bin/sh\necho hello\n",
  "data/empty": "",
  "data/big": Buffer.alloc(3_000_001, "0123456789"),
  "data/deep/er/ünïcode.txt": "größer",
  "lib/link": { link: "../data/big" },
};
const table = tableOf(contents);
const archive = Buffer.concat(frames(table, entriesOf(contents)));

function extract(bytes: Buffer, more: Partial<ExtractOptions> = {}): Promise<void> {
  return extractArchive({ source: pieces(bytes), into: place.into, accept: readTable, ...more });
}

async function modeOf(path: string): Promise<number> {
  return (await lstat(join(place.into, path))).mode & 0o7777;
}

describe("an archive that is right", () => {
  it.each(["zstd", "gzip"] as const)("is unpacked (%s)", async (compression) => {
    await extract(Buffer.concat(frames(table, entriesOf(contents), { compression })));
    expect(await verifyTree(place.into, table)).toEqual([]);
    expect(await readFile(join(place.into, "capsule.json"), "utf8")).toBe(manifestOf(table));
    expect(await readlink(join(place.into, "lib/link"))).toBe("../data/big");
  });

  it.each([1, 7, 511, 513])("is unpacked from pieces of %i bytes", async (size) => {
    const small: Contents = { "a/b": "x".repeat(600), c: "" };
    for (const compression of ["zstd", "gzip"] as const) {
      const bytes = Buffer.concat(frames(tableOf(small), entriesOf(small), { compression }));
      const into = join(place.folder, compression);
      await extract(bytes, { source: pieces(bytes, size), into });
      expect(await verifyTree(into, tableOf(small))).toEqual([]);
    }
  });

  it("may be one frame, or frames that cut headers", async () => {
    const tar = Buffer.concat([
      file("capsule.json", manifestOf(table)),
      ...entriesOf(contents),
      end,
    ]);
    await extract(Buffer.concat(compress("zstd", [tar])));
    const cuts = [tar.subarray(0, 300), tar.subarray(300, 1000), tar.subarray(1000)];
    await extract(Buffer.concat(compress("zstd", cuts)), { into: join(place.folder, "second") });
    expect(await verifyTree(place.into, table)).toEqual([]);
    expect(await verifyTree(join(place.folder, "second"), table)).toEqual([]);
  });

  it("gets exact modes whatever the umask", async () => {
    const umask = process.umask(0o077);
    try {
      await extract(archive);
    } finally {
      process.umask(umask);
    }
    expect(await modeOf("")).toBe(0o700);
    expect(await modeOf("capsule.json")).toBe(0o644);
    expect(await modeOf("bin/run")).toBe(0o755);
    expect(await modeOf("bin")).toBe(0o755);
    expect(await modeOf("data/empty")).toBe(0o644);
  });

  it("goes into a folder that is there and empty, and makes it private", async () => {
    await mkdir(place.into, { mode: 0o755 });
    await extract(archive);
    expect(await modeOf("")).toBe(0o700);
    expect(await verifyTree(place.into, table)).toEqual([]);
  });

  it("tells its progress up to the end", async () => {
    const told: { writtenBytes: number; totalBytes: number }[] = [];
    await extract(archive, { onProgress: (progress) => told.push(progress) });
    const totalBytes = 3_000_001 + 21 + 8;
    expect(told.length).toBeGreaterThan(1);
    expect(told.at(-1)).toEqual({ writtenBytes: totalBytes, totalBytes });
    const written = told.map(({ writtenBytes }) => writtenBytes);
    expect(written).toEqual(written.toSorted((a, b) => a - b));
  });

  it("may hold no file at all", async () => {
    await extract(Buffer.concat(frames([], [])));
    expect(await readdir(place.into)).toEqual(["capsule.json"]);
  });
});

describe("before anything is written", () => {
  it("the manifest is shown, and refusing it ends everything", async () => {
    const refusal = new Error("not what was signed");
    const accept = async (manifest: Uint8Array): Promise<never> => {
      expect(Buffer.from(manifest).toString()).toBe(manifestOf(table));
      await expectNothingIn(place.folder);
      throw refusal;
    };
    await expect(extract(archive, { accept })).rejects.toBe(refusal);
    await expectNothingIn(place.folder);
  });

  it("the whole table is judged", async () => {
    const bad = [...table, { path: "z", link: "/etc/passwd" }];
    await expect(extract(archive, { accept: () => bad })).rejects.toMatchObject({
      code: "ERR_ARCHIVE_UNSAFE_LINK",
    });
    await expectNothingIn(place.folder);
  });

  it("limits hold", async () => {
    await expect(extract(archive, { limits: { fileBytes: 1_000 } })).rejects.toMatchObject({
      code: "ERR_ARCHIVE_LIMIT",
    });
    await expect(extract(archive, { limits: { manifestBytes: 100 } })).rejects.toMatchObject({
      code: "ERR_ARCHIVE_LIMIT",
    });
    await expectNothingIn(place.folder);
  });

  it("the source is not read when the folder is not empty", async () => {
    await mkdir(place.into);
    await writeFile(join(place.into, "mine"), "mine");
    let isRead = false;
    async function* source(): AsyncGenerator<Buffer> {
      isRead = true;
      yield archive;
    }
    await expect(extract(archive, { source: source() })).rejects.toMatchObject({
      code: "ERR_ARCHIVE_NOT_EMPTY",
    });
    expect(isRead).toBe(false);
    expect(await readdir(place.into)).toEqual(["mine"]);
  });

  it("a link is no folder to write into", async () => {
    await mkdir(join(place.folder, "elsewhere"));
    await symlink("elsewhere", place.into);
    await expect(extract(archive)).rejects.toMatchObject({ code: "ERR_ARCHIVE_WRITE" });
    await expectNothingIn(join(place.folder, "elsewhere"));
  });

  it("a missing parent is an error", async () => {
    const into = join(place.folder, "no", "parent");
    await expect(extract(archive, { into })).rejects.toMatchObject({
      code: "ERR_ARCHIVE_WRITE",
      cause: { code: "ENOENT" },
    });
  });
});

describe("a failure on the way", () => {
  it("of the source is passed on, and nothing is left", async () => {
    const failure = new Error("connection lost");
    async function* source(): AsyncGenerator<Buffer> {
      yield* pieces(archive.subarray(0, archive.length - 100), 100);
      throw failure;
    }
    await expect(extract(archive, { source: source() })).rejects.toBe(failure);
    await expectNothingIn(place.folder);
  });

  it("keeps a folder that was there, empty", async () => {
    await mkdir(place.into);
    await expect(extract(archive.subarray(0, -20))).rejects.toMatchObject({
      code: "ERR_ARCHIVE_TRUNCATED",
    });
    expect(await readdir(place.into)).toEqual([]);
  });

  it("of a listener ends the extraction", async () => {
    const failure = new Error("listener");
    const onProgress = (): never => {
      throw failure;
    };
    await expect(extract(archive, { onProgress })).rejects.toBe(failure);
    await expectNothingIn(place.folder);
  });

  it("something that appears in the folder is never overwritten", async () => {
    const accept = async (manifest: Uint8Array) => {
      await mkdir(place.into);
      await writeFile(join(place.into, "mine"), "mine");
      return readTable(manifest);
    };
    await expect(extract(archive, { accept })).rejects.toMatchObject({
      code: "ERR_ARCHIVE_NOT_EMPTY",
    });
    expect(await readFile(join(place.into, "mine"), "utf8")).toBe("mine");
  });
});

describe("cancelling", () => {
  it("before the start reads nothing", async () => {
    const signal = AbortSignal.abort(new Error("no"));
    await expect(extract(archive, { signal })).rejects.toThrow("no");
    await expectNothingIn(place.folder);
  });

  it("while the source hangs ends the waiting and leaves nothing", async () => {
    const controller = new AbortController();
    const reason = new Error("changed my mind");
    async function* source(): AsyncGenerator<Buffer> {
      yield archive.subarray(0, archive.length - 10);
      queueMicrotask(() => controller.abort(reason));
      await new Promise(() => {}); // hangs for good
    }
    await expect(extract(archive, { source: source(), signal: controller.signal })).rejects.toBe(
      reason,
    );
    await expectNothingIn(place.folder);
  });

  it("in the middle leaves nothing", async () => {
    const controller = new AbortController();
    const reason = new Error("stop");
    const onProgress = (): void => controller.abort(reason);
    await expect(extract(archive, { onProgress, signal: controller.signal })).rejects.toBe(reason);
    await expectNothingIn(place.folder);
  });
});
