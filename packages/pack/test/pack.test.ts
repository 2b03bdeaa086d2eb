import { createReadStream } from "node:fs";
import { appendFile, chmod, cp, lutimes, mkdir, readdir, readFile, stat, utimes, writeFile } from "node:fs/promises";
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

  it("lists its files in byte order", async () => {
    const folder = await writeTree(at("in"), { ...hello, b: "", a: "", B: "", "a/": "" , "\uffe0": "", "\u{10000}": ""} as never).catch(() => at("in"));
    const { manifest } = await packCapsule({ folder, output: at("out") });
    const paths = manifest.files.map(({ path }) => path);
    expect(paths).toEqual(paths.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
  });
});
