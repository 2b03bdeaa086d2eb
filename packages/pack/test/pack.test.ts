import { createReadStream } from "node:fs";
import { chmod, cp, lutimes, mkdir, readdir, readFile, utimes, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { extractArchive, readManifest, verifyTree } from "@roboticks/archive";
import { digestOf } from "@roboticks/core/digest";
import { describe, expect, it } from "vitest";
import { type Compression, packCapsule } from "../src/index.ts";
import { hello, scratch, source, writeTree } from "./scratch.ts";
import { noise, oddTrees } from "./trees.ts";

const place = scratch();
const at = (...names: string[]): string => join(place.folder, ...names);
const compressions: readonly Compression[] = ["zstd", "gzip"];

describe("a packed capsule", () => {
  for (const compression of compressions) {
    it.each(oddTrees)(`holds %s (${compression})`, async (_, tree) => {
      const folder = await writeTree(at("in"), tree);
      const packed = await packCapsule({ folder, compression, output: at("out") });
      const bytes = await readFile(packed.path);
      expect(packed.archive).toEqual({ digest: digestOf(bytes), size: bytes.length });

      let digest = "";
      await extractArchive({
        source: createReadStream(packed.path),
        into: at("back"),
        accept(manifest) {
          digest = digestOf(manifest);
          return packed.manifest.files;
        },
      });
      expect(digest).toBe(packed.digest);
      expect(await verifyTree(folder, packed.manifest.files)).toEqual([]);
      const names = Object.keys(tree).filter((path) => path !== "capsule.json");
      expect(packed.manifest.files.map(({ path }) => path).sort()).toEqual(names.sort());
    });
  }

  it("lists its files in byte order, which is not that of JavaScript", async () => {
    const folder = await writeTree(at("in"), {
      ...hello,
      "\u{10000}": "",
      "\uffe0": "",
      "a-b": "",
      "a/b": "",
      B: "",
    });
    const { manifest } = await packCapsule({ folder, output: at("out") });
    expect(manifest.files.map(({ path }) => path)).toEqual([
      "B",
      "a-b",
      "a/b",
      "bin/hello",
      "\uffe0",
      "\u{10000}",
    ]);
  });

  it("has the defaults of its processes written out, and nothing of the author's machine", async () => {
    const capsule = JSON.stringify({ $schema: "../node_modules/x.json", ...source });
    const folder = await writeTree(at("in"), { ...hello, "capsule.json": capsule });
    const { path, manifest, digest } = await packCapsule({ folder, output: at("out") });
    const bytes = await readManifest(createReadStream(path));
    expect(digestOf(bytes)).toBe(digest);
    expect(JSON.parse(Buffer.from(bytes).toString())).toEqual(manifest);
    expect(manifest).toMatchObject({
      ...source,
      processes: { hello: { restart: "always", stopGrace: "10s" } },
    });
    expect(manifest).not.toHaveProperty("$schema");
  });

  it("carries the JSON Schema of its configuration", async () => {
    const schema = { type: "object", required: ["PORT"], properties: { PORT: { type: "string" } } };
    const capsule = { ...source, configuration: { schema: "./config/schema.json" } };
    const tree = {
      ...hello,
      "capsule.json": JSON.stringify(capsule),
      "config/schema.json": JSON.stringify(schema),
    };
    const folder = await writeTree(at("in"), tree);
    const { manifest } = await packCapsule({ folder, output: at("out") });
    expect(manifest.configuration).toEqual({ schema });
  });

  it("has modes 0644 and 0755, by the owner's bit", async () => {
    const folder = await writeTree(at("in"), { ...hello, a: "", b: "", c: "" });
    await chmod(join(folder, "a"), 0o4700);
    await chmod(join(folder, "b"), 0o666);
    await chmod(join(folder, "c"), 0o611);
    const { manifest } = await packCapsule({ folder, output: at("out") });
    const modes = manifest.files.map((entry) => [entry.path, "mode" in entry && entry.mode]);
    expect(modes).toEqual([
      ["a", "0755"],
      ["b", "0644"],
      ["bin/hello", "0755"],
      ["c", "0644"],
    ]);
  });
});

describe("the same files", () => {
  it.each(compressions)(
    "give the same bytes, whenever, wherever and by whom (%s)",
    async (compression) => {
      const tree = { ...hello, big: noise(5_000_000), "größe/x": "x", l: { link: "big" } };
      const first = await writeTree(at("first"), tree);
      const second = at("second");
      const umask = process.umask(0o077);
      try {
        await cp(first, second, { recursive: true, verbatimSymlinks: true });
        for (const path of ["", "big", "bin/hello", "größe", "capsule.json"]) {
          await utimes(join(second, path), 1, 1);
        }
        await lutimes(join(second, "l"), 1, 1);
        await chmod(join(second, "big"), 0o600);
        await chmod(join(second, "bin/hello"), 0o700);
        // The same text in another layout is the same capsule.
        await writeFile(join(second, "capsule.json"), JSON.stringify(source, undefined, 4));

        const a = await packCapsule({ folder: first, compression, output: at("a") });
        const b = await packCapsule({ folder: second, compression, output: at("b") });
        expect(b.digest).toBe(a.digest);
        expect((await readFile(b.path)).equals(await readFile(a.path))).toBe(true);
      } finally {
        process.umask(umask);
      }
    },
  );

  it("have one digest, however they travel", async () => {
    const folder = await writeTree(at("in"), hello);
    const a = await packCapsule({ folder, output: at("a.tar.zst") });
    const b = await packCapsule({ folder, output: at("b.tar.gz") });
    expect(b.digest).toBe(a.digest);
    expect(b.archive.digest).not.toBe(a.archive.digest);
  });

  it("give a gzip header without time and system", async () => {
    const folder = await writeTree(at("in"), hello);
    const { path } = await packCapsule({ folder, output: at("a.tar.gz") });
    expect((await readFile(path)).toString("hex", 0, 10)).toBe("1f8b08000000000000ff");
  });
});

describe("the output", () => {
  const magics = { zstd: "28b52ffd", gzip: "1f8b0800" };

  it.each([
    ["x.tar.zst", undefined, "zstd"],
    ["x.tar.gz", undefined, "gzip"],
    ["x.tgz", undefined, "gzip"],
    ["x", undefined, "zstd"],
    ["x", "gzip", "gzip"],
  ] as const)("%s with compression %s is %s", async (name, compression, expected) => {
    const folder = await writeTree(at("in"), hello);
    const { path } = await packCapsule({ folder, output: at(name), compression });
    expect((await readFile(path)).toString("hex", 0, 4)).toBe(magics[expected]);
  });

  it("replaces what was there, and leaves nothing beside it", async () => {
    const folder = await writeTree(at("in"), hello);
    await mkdir(at("out"));
    await writeFile(at("out", "x.tar.zst"), "old");
    const { archive } = await packCapsule({ folder, output: at("out", "x.tar.zst") });
    expect((await readFile(at("out", "x.tar.zst"))).length).toBe(archive.size);
    expect(await readdir(at("out"))).toEqual(["x.tar.zst"]);
  });

  it("is told of as it grows", async () => {
    const folder = await writeTree(at("in"), { ...hello, big: noise(9_000_000) });
    const told: number[] = [];
    await packCapsule({
      folder,
      output: at("out"),
      onProgress({ packedBytes, totalBytes }) {
        expect(totalBytes).toBe(9_000_021);
        told.push(packedBytes);
      },
    });
    expect(told).toHaveLength(3);
    expect(told.at(-1)).toBeGreaterThanOrEqual(9_000_021);
  });
});
