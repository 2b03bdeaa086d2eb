import { existsSync } from "node:fs";
import { gzipSync, zstdCompressSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import {
  type ArchiveErrorCode,
  extractArchive,
  type TableEntry,
  verifyTree,
} from "../src/index.ts";
import { expectNothingIn, scratch } from "./scratch.ts";
import {
  body,
  type Compression,
  compress,
  end,
  entriesOf,
  file,
  frames,
  gnuLong,
  header,
  link,
  manifestOf,
  pax,
  pieces,
  readTable,
  tableOf,
} from "./tiny-tar.ts";

const place = scratch();
const hello = { hello: "hello\n" };
const long = `${"d".repeat(120)}/${"f".repeat(120)}`;

async function extract(bytes: Buffer): Promise<void> {
  await extractArchive({ source: pieces(bytes), into: place.into, accept: readTable });
}

async function expectRefusal(code: ArchiveErrorCode, bytes: Buffer): Promise<void> {
  await expect(extract(bytes)).rejects.toMatchObject({ name: "ArchiveError", code });
  await expectNothingIn(place.folder);
}

/** An archive with the table of `hello` and these tar entries. */
function withEntries(...entries: Buffer[]): Buffer {
  return Buffer.concat(frames(tableOf(hello), entries));
}

const helloFile = file("hello", "hello\n");
const base256 = (...bytes: number[]) => Buffer.from([0x80, ...bytes.slice(1)]);
const zstd = (tail: Buffer): Buffer =>
  Buffer.concat([...frames(tableOf(hello), entriesOf(hello)), tail]);
const gzip = (tail: Buffer): Buffer =>
  Buffer.concat([...frames(tableOf(hello), entriesOf(hello), { compression: "gzip" }), tail]);

describe("a tar that is not what its manifest says", () => {
  it.each<[string, ArchiveErrorCode, Buffer[]]>([
    ["an entry too many", "ERR_ARCHIVE_MISMATCH", [helloFile, file("more", "")]],
    ["an entry too few", "ERR_ARCHIVE_MISMATCH", []],
    ["the same entry twice", "ERR_ARCHIVE_MISMATCH", [helloFile, helloFile]],
    ["another name", "ERR_ARCHIVE_MISMATCH", [file("hallo", "hello\n")]],
    ["a name that leaves", "ERR_ARCHIVE_MISMATCH", [file("../hello", "hello\n")]],
    ["an absolute name", "ERR_ARCHIVE_MISMATCH", [file("/hello", "hello\n")]],
    ["a name with ./", "ERR_ARCHIVE_MISMATCH", [file("./hello", "hello\n")]],
    ["a prefix", "ERR_ARCHIVE_MISMATCH", [file("hello", "hello\n", { prefix: "../.." })]],
    ["a larger file", "ERR_ARCHIVE_MISMATCH", [file("hello", "hello, world\n")]],
    ["a smaller file", "ERR_ARCHIVE_MISMATCH", [file("hello", "")]],
    ["other bytes", "ERR_ARCHIVE_DIGEST_MISMATCH", [file("hello", "HELLO\n")]],
    ["a mode", "ERR_ARCHIVE_MISMATCH", [file("hello", "hello\n", { mode: 0o755 })]],
    ["a setuid bit", "ERR_ARCHIVE_MISMATCH", [file("hello", "hello\n", { mode: 0o4644 })]],
    ["a link for a file", "ERR_ARCHIVE_MISMATCH", [link("hello", "/etc/passwd")]],
    ["a pax path elsewhere", "ERR_ARCHIVE_MISMATCH", [pax({ path: "../x" }), helloFile]],
    ["a GNU name elsewhere", "ERR_ARCHIVE_MISMATCH", [gnuLong("L", "/etc/x"), helloFile]],
    ["a manifest again", "ERR_ARCHIVE_MISMATCH", [file("capsule.json", "{}"), helloFile]],
  ])("%s", (_, code, entries) => expectRefusal(code, withEntries(...entries)));

  it("entries in another order", async () => {
    const two = { a: "a", b: "b" };
    const bytes = Buffer.concat(frames(tableOf(two), entriesOf(two).reverse()));
    await expectRefusal("ERR_ARCHIVE_MISMATCH", bytes);
  });

  const links = { hello: "hello\n", l: { link: "hello" } };
  it.each<[string, ArchiveErrorCode, Buffer]>([
    ["another target", "ERR_ARCHIVE_MISMATCH", link("l", "../../etc/passwd")],
    ["a file for a link", "ERR_ARCHIVE_MISMATCH", file("l", "")],
    [
      "a pax linkpath elsewhere",
      "ERR_ARCHIVE_MISMATCH",
      Buffer.concat([pax({ linkpath: "/etc" }), link("l", "hello")]),
    ],
    ["a link with content", "ERR_ARCHIVE_FORMAT", file("l", "x", { type: "2", link: "hello" })],
  ])("%s", (_, code, entry) =>
    expectRefusal(code, Buffer.concat(frames(tableOf(links), [helloFile, entry]))),
  );

  it.each([
    ["a file", file("other", "{}")],
    ["a link", link("capsule.json", "x")],
    ["another spelling", file("./capsule.json", "{}")],
  ])("%s before the manifest", async (_, first) => {
    const bytes = Buffer.concat(compress("zstd", [first, file("capsule.json", "{}"), end]));
    await expectRefusal("ERR_ARCHIVE_MISMATCH", bytes);
  });
});

describe("a tar that holds what no capsule does", () => {
  it.each([
    ["a hard link", [header({ name: "hello", type: "1", link: "capsule.json" })]],
    ["a character device", [header({ name: "hello", type: "3" })]],
    ["a block device", [header({ name: "hello", type: "4" })]],
    ["a folder", [header({ name: "hello/", type: "5" }), helloFile]],
    ["a FIFO", [header({ name: "hello", type: "6" })]],
    ["a contiguous file", [file("hello", "hello\n", { type: "7" })]],
    ["a GNU sparse file", [file("hello", "hello\n", { type: "S" })]],
    ["a pax sparse file", [pax({ "GNU.sparse.major": "1" }), helloFile]],
    ["a global pax header", [pax({ path: "x" }, "g"), helloFile]],
    ["an unknown type", [file("hello", "hello\n", { type: "Z" })]],
    ["an extended attribute", [pax({ "SCHILY.xattr.security.capability": "x" }), helloFile]],
    ["a wrong checksum", [header({ name: "hello", size: 6, checksum: 4711 }), body("hello\n")]],
    ["no magic", [file("hello", "hello\n", { magic: "" })]],
    ["a name that is not UTF-8", [header({ name: Buffer.from([0xff, 0xfe]) })]],
    [
      "a size that is no number",
      [header({ name: "hello", rawSize: Buffer.from("x0000000000\0") })],
    ],
    ["a size that is empty", [header({ name: "hello", rawSize: Buffer.alloc(12) })]],
    ["a negative size", [header({ name: "hello", rawSize: Buffer.from("-0000000006\0") })]],
    [
      "a base-256 size",
      [
        header({ name: "hello", rawSize: base256(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6) }),
        body("hello\n"),
      ],
    ],
    ["a negative base-256 size", [header({ name: "hello", rawSize: Buffer.alloc(12, 0xff) })]],
    ["a pax size that lies", [pax({ size: "0" }), helloFile]],
    ["a pax size that is negative", [pax({ size: "-1" }), helloFile]],
    ["a pax key given twice", [pax("12 path=abc\n12 path=def\n"), helloFile]],
    ["a pax record too short", [pax("5 path=hello\n"), helloFile]],
    ["a pax record too long", [pax("99 path=hello\n"), helloFile]],
    ["a pax record without a value", [pax("7 path\n"), helloFile]],
    ["a pax record of length 0", [pax("0 path=x\n"), helloFile]],
    ["a pax record without a length", [pax("path=x\n"), helloFile]],
    ["an empty pax header", [pax(""), helloFile]],
    ["a huge pax header", [pax({ comment: "x".repeat(20_000) }), helloFile]],
    ["two pax paths", [pax({ path: "hello" }), pax({ path: "hello" }), helloFile]],
    ["a pax path and a GNU name", [pax({ path: "hello" }), gnuLong("L", "hello"), helloFile]],
    ["an extended header at the end", [helloFile, pax({ path: "x" })]],
    [
      "bytes in the padding",
      [header({ name: "hello", size: 6 }), Buffer.from("hello\nevil".padEnd(512, "\0"))],
    ],
    ["a zero block between entries", [Buffer.alloc(512), helloFile]],
  ])("%s", (_, entries) => expectRefusal("ERR_ARCHIVE_FORMAT", withEntries(...entries)));
});

describe("long names", () => {
  const contents = { [long]: "x", [`${long}.link`]: { link: `../${"t".repeat(140)}` } };
  const table: TableEntry[] = tableOf(contents);
  const target = `../${"t".repeat(140)}`;

  it.each([
    [
      "pax",
      [
        pax({ path: long, mtime: "1.5" }),
        file("short", "x"),
        pax({ path: `${long}.link`, linkpath: target }),
        link("short", "short"),
      ],
    ],
    [
      "GNU",
      [
        gnuLong("L", long),
        file("short", "x"),
        gnuLong("L", `${long}.link`),
        gnuLong("K", target),
        link("short", "short"),
      ],
    ],
  ])("of %s are understood", async (_, entries) => {
    await extract(Buffer.concat(frames(table, entries)));
    expect(await verifyTree(place.into, table)).toEqual([]);
  });

  it("of a ustar prefix are understood", async () => {
    const [folder = "", name = ""] = long.split("/");
    const short = { [`${folder}/${name.slice(0, 100)}`]: "x" };
    const entry = file(name.slice(0, 100), "x", { prefix: folder });
    await extract(Buffer.concat(frames(tableOf(short), [entry])));
    expect(await verifyTree(place.into, tableOf(short))).toEqual([]);
  });
});

describe("the compressed stream", () => {
  it.each<[string, ArchiveErrorCode, Buffer]>([
    ["is empty", "ERR_ARCHIVE_TRUNCATED", Buffer.alloc(0)],
    ["has two bytes", "ERR_ARCHIVE_TRUNCATED", Buffer.from([0x1f, 0x8b])],
    ["is no archive", "ERR_ARCHIVE_FORMAT", Buffer.from("<html>not found</html>")],
    ["is a plain tar", "ERR_ARCHIVE_FORMAT", Buffer.concat([helloFile, end])],
    ["is no tar", "ERR_ARCHIVE_FORMAT", gzipSync(Buffer.alloc(2000, "x"))],
    ["holds an empty tar", "ERR_ARCHIVE_MISMATCH", zstdCompressSync(end)],
    [
      "has garbage after the last zstd frame",
      "ERR_ARCHIVE_TRAILING_DATA",
      zstd(Buffer.from("garbage")),
    ],
    ["has zeros after the last zstd frame", "ERR_ARCHIVE_TRAILING_DATA", zstd(Buffer.alloc(512))],
    [
      "has a skippable zstd frame",
      "ERR_ARCHIVE_TRAILING_DATA",
      zstd(Buffer.from("502a4d1804000000aabbccdd", "hex")),
    ],
    [
      "has half a magic after the last frame",
      "ERR_ARCHIVE_TRUNCATED",
      zstd(Buffer.from("28b5", "hex")),
    ],
    ["has garbage after the last gzip member", "ERR_ARCHIVE_CORRUPT", gzip(Buffer.from("garbage"))],
    ["has zeros after the last gzip member", "ERR_ARCHIVE_TRAILING_DATA", gzip(Buffer.alloc(512))],
    ["goes on after the tar", "ERR_ARCHIVE_TRAILING_DATA", zstd(zstdCompressSync(helloFile))],
    [
      "has zeros without end after the tar",
      "ERR_ARCHIVE_TRAILING_DATA",
      zstd(zstdCompressSync(Buffer.alloc(2 ** 22))),
    ],
    [
      "has a zstd block type that does not exist",
      "ERR_ARCHIVE_CORRUPT",
      Buffer.from("28b52ffd0058070000", "hex"),
    ],
    ["wants a huge zstd window", "ERR_ARCHIVE_LIMIT", Buffer.from("28b52ffd0088010000", "hex")],
  ])("%s", (_, code, bytes) => expectRefusal(code, bytes));

  it("may have zeros up to a blocking factor", async () => {
    const tail = Buffer.alloc(10_240);
    await extract(Buffer.concat(frames(tableOf(hello), entriesOf(hello), { tail })));
    expect(await verifyTree(place.into, tableOf(hello))).toEqual([]);
  });

  it.each(["zstd", "gzip"] as const)(
    "with any one byte changed is refused or means the same (%s)",
    async (compression: Compression) => {
      const bytes = Buffer.concat(frames(tableOf(hello), entriesOf(hello), { compression }));
      for (let at = 0; at < bytes.length; at++) {
        const changed = Buffer.from(bytes);
        changed[at] = (changed[at] ?? 0) ^ 0x55;
        const into = `${place.into}-${at}`;
        const source = pieces(changed);
        const accept = (manifest: Uint8Array): TableEntry[] => {
          // What a real accept does first: the digest of the manifest is what was asked for.
          if (Buffer.from(manifest).toString() === manifestOf(tableOf(hello)))
            return tableOf(hello);
          throw new Error("another manifest");
        };
        const isTaken = await extractArchive({ source, into, accept }).then(
          () => true,
          () => false,
        );
        if (isTaken) expect(await verifyTree(into, tableOf(hello))).toEqual([]);
        else expect(existsSync(into)).toBe(false);
      }
    },
  );

  it("is not inflated further than the manifest allows", async () => {
    // 64 MiB of zeros in 2 kB, without end.
    const bomb = zstdCompressSync(Buffer.alloc(2 ** 26));
    let taken = 0;
    async function* source(): AsyncGenerator<Buffer> {
      yield Buffer.concat(
        compress("zstd", [
          file("capsule.json", manifestOf(tableOf(hello))),
          header({ name: "hello", size: 2 ** 30 }),
        ]),
      );
      for (; ; taken++) yield bomb;
    }
    const { into } = place;
    await expect(
      extractArchive({ source: source(), into, accept: readTable }),
    ).rejects.toMatchObject({
      code: "ERR_ARCHIVE_MISMATCH",
    });
    expect(taken).toBeLessThan(100);
    await expectNothingIn(place.folder);
  });
});

describe("an archive that is cut", () => {
  const contents = {
    a: "a".repeat(2_000),
    b: Buffer.alloc(70_000, "xyz"),
    "c/d": "",
    l: { link: "a" },
  };

  it.each(["zstd", "gzip"] as const)("at a border of frames (%s)", async (compression) => {
    const all = frames(tableOf(contents), entriesOf(contents), { compression });
    for (let kept = 0; kept < all.length; kept++) {
      const bytes = Buffer.concat(all.slice(0, kept));
      await expectRefusal("ERR_ARCHIVE_TRUNCATED", bytes);
    }
  });

  it.each(["zstd", "gzip"] as const)("anywhere (%s)", async (compression) => {
    const bytes = Buffer.concat(frames(tableOf(contents), entriesOf(contents), { compression }));
    for (let at = 0; at < bytes.length; at += 5) {
      await expectRefusal("ERR_ARCHIVE_TRUNCATED", bytes.subarray(0, at));
    }
  });
});
