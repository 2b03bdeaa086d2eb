import { execFileSync } from "node:child_process";
import { chmod, mkdir, rm, symlink, unlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { extractArchive, verifyTree } from "../src/index.ts";
import { scratch } from "./scratch.ts";
import { entriesOf, frames, pieces, readTable, tableOf } from "./tiny-tar.ts";

const place = scratch();
const contents = {
  "bin/run": "run",
  "data/a": "aaa",
  "data/b": "bbb",
  "data/more/c": "ccc",
  current: { link: "data/a" },
};
const table = tableOf(contents);

async function changed(change: (path: (name: string) => string) => unknown) {
  const source = pieces(Buffer.concat(frames(table, entriesOf(contents))));
  await extractArchive({ source, into: place.into, accept: readTable });
  await change((name) => join(place.into, name));
  return verifyTree(place.into, table);
}

async function replace(path: string, make: (path: string) => unknown): Promise<void> {
  await rm(path, { recursive: true });
  await make(path);
}

describe("verifyTree", () => {
  it("finds nothing in a whole tree, and does not look at the manifest", async () => {
    expect(await changed((path) => writeFile(path("capsule.json"), "{}"))).toEqual([]);
  });

  it.each([
    ["a file that is missing", "missing", "data/a", (path: string) => unlink(path)],
    ["a file that is longer", "size", "data/a", (path: string) => writeFile(path, "aaaa")],
    ["a file that is empty", "size", "data/a", (path: string) => writeFile(path, "")],
    ["a file with other bytes", "digest", "data/a", (path: string) => writeFile(path, "aab")],
    ["another mode", "mode", "bin/run", (path: string) => chmod(path, 0o644)],
    ["a setuid bit", "mode", "bin/run", (path: string) => chmod(path, 0o4755)],
    ["a file more", "extra", "data/z", (path: string) => writeFile(path, "")],
    ["a folder more", "extra", "data/z", (path: string) => mkdir(path)],
    ["a folder for a file", "kind", "data/a", (path: string) => replace(path, mkdir)],
    [
      "a link for a file",
      "kind",
      "data/a",
      (path: string) => replace(path, (at) => symlink("b", at)),
    ],
    [
      "a FIFO for a file",
      "kind",
      "data/a",
      (path: string) => replace(path, (at) => execFileSync("mkfifo", [at])),
    ],
    [
      "a file for a link",
      "kind",
      "current",
      (path: string) => replace(path, (at) => writeFile(at, "aaa")),
    ],
    [
      "another target",
      "link",
      "current",
      (path: string) => replace(path, (at) => symlink("data/b", at)),
    ],
  ])("tells %s", async (_, kind, name, change) => {
    expect(await changed((path) => change(path(name)))).toMatchObject([{ kind, path: name }]);
  });

  it("does not follow a link that stands for a folder", async () => {
    const problems = await changed(async (path) => {
      await mkdir(join(place.folder, "more"));
      await writeFile(join(place.folder, "more", "c"), "ccc");
      await replace(path("data/more"), (at) => symlink("../../more", at));
    });
    expect(problems).toEqual([
      { kind: "kind", path: "data/more", expected: "folder", found: "link" },
      { kind: "missing", path: "data/more/c", expected: "file", found: "" },
    ]);
  });

  it("misses everything where there is no folder", async () => {
    const problems = await verifyTree(join(place.folder, "none"), table);
    expect(problems.map(({ kind, path }) => [kind, path])).toEqual(
      table.map(({ path }) => ["missing", path]),
    );
  });

  it("can be cancelled", async () => {
    await changed(() => {});
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(verifyTree(place.into, table, { signal })).rejects.toThrow("enough");
  });
});
