import { execFileSync } from "node:child_process";
import { appendFileSync, chmodSync, rmSync, symlinkSync, unlinkSync, writeFileSync } from "node:fs";
import { mkdir, readdir, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { type PackErrorCode, packCapsule } from "../src/index.ts";
import { type Content, hello, scratch, source, writeTree } from "./scratch.ts";
import { noise } from "./trees.ts";

const place = scratch();
const at = (...names: string[]): string => join(place.folder, ...names);

async function expectRefusal(code: PackErrorCode, output = at("out", "x.tar.zst")): Promise<void> {
  await mkdir(at("out"), { recursive: true });
  const packed = packCapsule({ folder: at("in"), output });
  await expect(packed).rejects.toMatchObject({ name: "PackError", code });
  expect(await readdir(at("out"))).toEqual([]);
}

const capsule = (more: object): string => JSON.stringify({ ...source, ...more });
const command = (path: string): Record<string, Content> => ({
  ...hello,
  "capsule.json": capsule({ processes: { hello: { command: path } } }),
});

describe("a folder", () => {
  it("that is missing", () => expectRefusal("ERR_PACK_FOLDER"));

  it("that is a file", async () => {
    await writeTree(place.folder, { in: "x" });
    await expectRefusal("ERR_PACK_FOLDER");
  });

  it("without capsule.json", async () => {
    await writeTree(at("in"), { "bin/hello": "x" });
    await expectRefusal("ERR_PACK_NO_MANIFEST");
  });

  it("whose capsule.json is a link", async () => {
    await writeTree(at("in"), { ...hello, real: "{}" });
    await rm(at("in", "capsule.json"));
    await symlink("real", at("in", "capsule.json"));
    await expectRefusal("ERR_PACK_NO_MANIFEST");
  });

  it("whose capsule.json is wrong is told so by the spec", async () => {
    await writeTree(at("in"), { ...hello, "capsule.json": capsule({ versoin: "1.0.0" }) });
    await expect(packCapsule({ folder: at("in"), output: at("x") })).rejects.toMatchObject({
      name: "SpecError",
      code: "ERR_SPEC_UNKNOWN_KEY",
      message: expect.stringContaining('did you mean "version"?'),
    });
  });

  it.each<[string, PackErrorCode, Record<string, Content>]>([
    ["a command that is missing", "ERR_PACK_COMMAND_MISSING", command("bin/hallo")],
    ["a command outside of the capsule", "ERR_PACK_COMMAND_MISSING", command("../bin/hello")],
    ["a command that is a folder", "ERR_PACK_COMMAND_MISSING", command("bin")],
    [
      "a command that is a dangling link",
      "ERR_PACK_COMMAND_MISSING",
      { ...command("l"), l: { link: "no" } },
    ],
    [
      "a command that is a circle of links",
      "ERR_PACK_COMMAND_MISSING",
      { ...command("l"), l: { link: "k" }, k: { link: "l" } },
    ],
    [
      "a command that is not executable",
      "ERR_PACK_COMMAND_NOT_EXECUTABLE",
      { ...command("run"), run: "x" },
    ],
    [
      "a link to what is not executable",
      "ERR_PACK_COMMAND_NOT_EXECUTABLE",
      { ...command("l"), l: { link: "run" }, run: "x" },
    ],
    [
      "a schema that is missing",
      "ERR_PACK_NO_SCHEMA",
      { ...hello, "capsule.json": capsule({ configuration: { schema: "s.json" } }) },
    ],
    ["a link that leaves", "ERR_PACK_UNSAFE", { ...hello, l: { link: "../secret" } }],
    ["an absolute link", "ERR_PACK_UNSAFE", { ...hello, l: { link: "/etc/passwd" } }],
    [
      "a link through a link",
      "ERR_PACK_UNSAFE",
      { ...hello, b: { link: "bin" }, l: { link: "b/hello" } },
    ],
    ["a backslash", "ERR_PACK_UNSAFE", { ...hello, "a\\b": "x" }],
    ["a line break", "ERR_PACK_UNSAFE", { ...hello, "a\nb": "x" }],
    ["names that differ in case", "ERR_PACK_UNSAFE", { ...hello, "BIN/hello": "x" }],
    ["a path too deep", "ERR_PACK_TOO_LARGE", { ...hello, [Array(65).fill("d").join("/")]: "x" }],
  ])("with %s", async (_, code, tree) => {
    await writeTree(at("in"), tree);
    await expectRefusal(code);
  });

  it("with a schema that is no JSON object is told so by the spec", async () => {
    const tree = {
      ...hello,
      "capsule.json": capsule({ configuration: { schema: "s.json" } }),
      "s.json": "[1]",
    };
    await writeTree(at("in"), tree);
    await expect(packCapsule({ folder: at("in"), output: at("x") })).rejects.toMatchObject({
      name: "SpecError",
      code: "ERR_SPEC_INVALID",
    });
  });

  it("with a FIFO", async () => {
    await writeTree(at("in"), hello);
    execFileSync("mkfifo", [at("in", "pipe")]);
    await expectRefusal("ERR_PACK_UNSUPPORTED_FILE");
  });

  it.runIf(process.platform === "linux")("with a name that is not UTF-8", async () => {
    await writeTree(at("in"), hello);
    writeFileSync(Buffer.concat([Buffer.from(at("in", "x")), Buffer.from([0xff])]), "");
    await expectRefusal("ERR_PACK_UNSUPPORTED_FILE");
  });
});

describe("a command", () => {
  it.each<[string, Record<string, Content>]>([
    ["on the device", command("/usr/bin/python3")],
    ["with ./", command("./bin/hello")],
    ["that is a link to a program", { ...command("l"), l: { link: "bin/hello" } }],
  ])("%s is fine", async (_, tree) => {
    const folder = await writeTree(at("in"), tree);
    const { manifest } = await packCapsule({ folder, output: at("x.tar.zst") });
    expect(manifest.name).toBe("hello");
  });
});

describe("an output", () => {
  it("in the folder itself", async () => {
    await writeTree(at("in"), hello);
    await expectRefusal("ERR_PACK_OUTPUT", at("in", "x.tar.zst"));
  });

  it("below the folder, by way of a link", async () => {
    await writeTree(at("in"), hello);
    await symlink(at("in", "bin"), at("short"));
    await expectRefusal("ERR_PACK_OUTPUT", at("short", "x.tar.zst"));
  });

  it("in no folder", async () => {
    await writeTree(at("in"), hello);
    await expectRefusal("ERR_PACK_OUTPUT", at("nowhere", "x.tar.zst"));
  });

  it("beside the folder, with a name that begins like it, is fine", async () => {
    const folder = await writeTree(at("in"), hello);
    await mkdir(at("in-2"));
    await mkdir(at("..x"));
    const { archive } = await packCapsule({ folder, output: at("in-2", "x") });
    expect(archive.size).toBeGreaterThan(0);
    await expect(packCapsule({ folder: place.folder, output: at("..x", "y") })).rejects.toThrow();
  });

  it("that is a folder", async () => {
    await writeTree(at("in"), hello);
    await mkdir(at("taken", "x"), { recursive: true });
    await expectRefusal("ERR_PACK_WRITE", at("taken"));
  });
});

describe("a file that changes while it is packed", () => {
  // The first frame is told of when all files were judged, and "z" is still to be read.
  const tree = { ...hello, big: noise(9_000_000), l: { link: "big" }, z: "zzz" };

  it.each<[string, (path: string) => void]>([
    ["grows", (path) => appendFileSync(join(path, "z"), "z")],
    ["shrinks", (path) => writeFileSync(join(path, "z"), "")],
    ["has other bytes", (path) => writeFileSync(join(path, "z"), "abc")],
    ["has another mode", (path) => chmodSync(join(path, "z"), 0o755)],
    ["is gone", (path) => unlinkSync(join(path, "z"))],
    [
      "becomes a link",
      (path) => {
        rmSync(join(path, "z"));
        symlinkSync("big", join(path, "z"));
      },
    ],
    [
      "becomes a FIFO",
      (path) => {
        rmSync(join(path, "z"));
        execFileSync("mkfifo", [join(path, "z")]);
      },
    ],
    [
      "is a link with another target",
      (path) => {
        rmSync(join(path, "l"));
        symlinkSync("z", join(path, "l"));
      },
    ],
    [
      "was a link",
      (path) => {
        rmSync(join(path, "l"));
        writeFileSync(join(path, "l"), "");
      },
    ],
  ])("%s", async (_, change) => {
    const folder = await writeTree(at("in"), tree);
    await mkdir(at("out"));
    let isChanged = false;
    const onProgress = (): void => {
      if (!isChanged) change(folder);
      isChanged = true;
    };
    await expect(
      packCapsule({ folder, output: at("out", "x.tar.zst"), onProgress }),
    ).rejects.toMatchObject({ name: "PackError", code: "ERR_PACK_CHANGED" });
    expect(await readdir(at("out"))).toEqual([]);
  });
});

describe("cancelling", () => {
  it("before the start does nothing", async () => {
    const signal = AbortSignal.abort(new Error("no"));
    await expect(packCapsule({ folder: at("none"), signal })).rejects.toThrow("no");
  });

  it("in the middle leaves no archive", async () => {
    const folder = await writeTree(at("in"), { ...hello, big: noise(9_000_000) });
    await mkdir(at("out"));
    const controller = new AbortController();
    const packed = packCapsule({
      folder,
      output: at("out", "x"),
      signal: controller.signal,
      onProgress: () => controller.abort(new Error("enough")),
    });
    await expect(packed).rejects.toThrow("enough");
    expect(await readdir(at("out"))).toEqual([]);
  });
});
