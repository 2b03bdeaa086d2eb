import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { digestOf, isDigest } from "../src/digest.ts";
import { isSystemError, writeFileAtomic } from "../src/fs.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "core-fs-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("writeFileAtomic", () => {
  it("replaces a file and leaves nothing beside it", async () => {
    const path = join(folder, "a.json");
    await writeFile(path, "old");
    await writeFileAtomic(path, "new");
    expect(await readFile(path, "utf8")).toBe("new");
    expect(await readdir(folder)).toEqual(["a.json"]);
  });

  it("sets the mode that was asked for", async () => {
    const path = join(folder, "key");
    await writeFileAtomic(path, "secret", { mode: 0o600 });
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it("leaves what was there, and no temporary file, when it cannot", async () => {
    const path = join(folder, "taken");
    await writeFileAtomic(join(folder, "x"), "x");
    await mkdir(path);
    await expect(writeFileAtomic(path, "new")).rejects.toMatchObject({ code: "EISDIR" });
    expect((await readdir(folder)).sort()).toEqual(["taken", "x"]);
  });
});

describe("isSystemError", () => {
  it("knows the system's errors by their code", async () => {
    const error: unknown = await readFile(join(folder, "missing")).catch((thrown) => thrown);
    expect(isSystemError(error, "ENOENT")).toBe(true);
    expect(isSystemError(error, "ENOTDIR", "ENOENT")).toBe(true);
    expect(isSystemError(error, "EACCES", "ENOTDIR")).toBe(false);
  });

  it("looks at the error itself, not at what lies beneath", async () => {
    const cause: unknown = await readFile(join(folder, "missing")).catch((thrown) => thrown);
    expect(isSystemError(new Error("no map", { cause }), "ENOENT")).toBe(false);
  });

  it.each([[undefined], ["ENOENT"], [{ code: "ENOENT" }], [new Error("ENOENT")]])(
    "is not taken in by %j",
    (thrown) => {
      expect(isSystemError(thrown, "ENOENT")).toBe(false);
    },
  );
});

describe("digests", () => {
  it("are those of sha256sum", () => {
    expect(digestOf("abc")).toBe(
      "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
    );
  });

  it("are told from other text", () => {
    expect(isDigest(digestOf(""))).toBe(true);
    expect(isDigest("sha256:ABC")).toBe(false);
  });
});
