import { execFileSync, spawnSync } from "node:child_process";
import { lstatSync } from "node:fs";
import { mkdir, readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { verifyTree } from "@roboticks/archive";
import { list } from "tar";
import { describe, expect, it } from "vitest";
import { packCapsule } from "../src/index.ts";
import { scratch, writeTree } from "./scratch.ts";
import { oddTrees } from "./trees.ts";

const place = scratch();
const at = (...names: string[]): string => join(place.folder, ...names);

function run(command: string, args: readonly string[]): string {
  return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
}

// GNU tar decompresses zstd with the program of that name.
const hasZstd = spawnSync("zstd", ["--version"]).status === 0;

describe.each(oddTrees)("%s", (_, tree) => {
  it.runIf(hasZstd)("is what GNU tar unpacks, gzip and zstd", async () => {
    const folder = await writeTree(at("in"), tree);
    for (const suffix of ["gz", "zst"]) {
      const { path, manifest } = await packCapsule({ folder, output: at(`x.tar.${suffix}`) });
      const into = at(suffix);
      await mkdir(into);
      run("tar", [
        suffix === "gz" ? "-xzf" : "--zstd",
        ...(suffix === "gz" ? [] : ["-xf"]),
        path,
        "-C",
        into,
      ]);
      expect(await verifyTree(into, manifest.files)).toEqual([]);
      expect(JSON.parse(await readFile(join(into, "capsule.json"), "utf8"))).toEqual(manifest);
      expect(lstatSync(join(into, "bin/hello")).mtime.toISOString()).toBe(
        "2000-01-01T00:00:00.000Z",
      );
    }
  });

  it("is what node-tar lists, without owners", async () => {
    const folder = await writeTree(at("in"), tree);
    const { path, manifest } = await packCapsule({ folder, output: at("x.tar.gz") });
    const found: (readonly [string, string, number | undefined, number | undefined])[] = [];
    await list({
      file: path,
      strict: true,
      onReadEntry: (entry) => found.push([entry.path, entry.type, entry.size, entry.uid]),
    });
    const [first, ...rest] = found;
    expect(first?.slice(0, 2)).toEqual(["capsule.json", "File"]);
    expect(rest).toEqual(
      manifest.files.map((entry) =>
        "link" in entry ? [entry.path, "SymbolicLink", 0, 0] : [entry.path, "File", entry.size, 0],
      ),
    );
  });
});

it.runIf(hasZstd)("GNU tar lists it without a word on stderr", async () => {
  const [, tree = {}] = oddTrees[6] ?? [];
  const folder = await writeTree(at("in"), tree);
  const { path } = await packCapsule({ folder, output: at("x.tar.zst") });
  const listed = run("sh", ["-c", 'tar --zstd -tvf "$1" 2>&1', "sh", path]).trim().split("\n");
  expect(listed[0]).toMatch(/^-rw-r--r-- 0\/0 +\d+ 2000-01-01 \d\d:\d\d capsule\.json$/);
  expect(listed).toHaveLength(Object.keys(tree).length);
  expect(await readdir(place.folder)).toContain("x.tar.zst");
});
