import { digestOf } from "@roboticks/core/digest";
import { describe, expect, it } from "vitest";
import { judgeTable, type TableEntry } from "../src/index.ts";

function row(path: string, more: object = {}): TableEntry {
  return { path, mode: "0644", size: 3, digest: digestOf("abc"), ...more };
}
const link = (path: string, target: string): TableEntry => ({ path, link: target });
const refusal = (code: string) => expect.objectContaining({ code });

describe("paths", () => {
  it.each(["a", "bin/a", "a/b/c.txt", "größe", ".hidden", "a..b", "...", "a b", "日本/語", "C:x"])(
    "%j is accepted",
    (path) => expect(() => judgeTable([row(path)])).not.toThrow(),
  );

  it.each([
    "",
    "/etc/passwd",
    "..",
    "../x",
    "a/../b",
    "a/..",
    ".",
    "./a",
    "a/./b",
    "a//b",
    "a/",
    "a\\b",
    "a\0b",
    "a\nb",
    "a\x7fb",
    "a\u0085b",
    "a\ud800b",
  ])("%j is refused", (path) => {
    expect(() => judgeTable([row(path)])).toThrow(refusal("ERR_ARCHIVE_UNSAFE_PATH"));
  });
});

describe("collisions", () => {
  it.each([
    ["the same path twice", ["a", "a"]],
    ["upper and lower case", ["README", "readme"]],
    ["composed and decomposed", ["caf\u00e9", "cafe\u0301"]],
    ["sharp s and ss", ["stra\u00dfe", "STRASSE"]],
    ["capital sharp s and sharp s", ["\u1e9e", "\u00df"]],
    ["kelvin sign and k", ["\u212a", "k"]],
    ["long s and s", ["\u017f", "S"]],
    ["final and medial sigma", ["\u03c2", "\u03c3"]],
    ["a file where a folder is needed", ["a", "a/b"]],
    ["a folder where a file is needed", ["a/b", "a"]],
    ["a file where another spelling is a folder", ["A", "a/b"]],
    ["folders in two spellings", ["Lib/a", "lib/b"]],
    ["the manifest", ["capsule.json"]],
    ["the manifest in capitals", ["Capsule.JSON"]],
    ["the manifest as a folder", ["capsule.json/a"]],
  ])("%s", (_, paths) => {
    const table = paths.map((path) => row(path));
    expect(() => judgeTable(table)).toThrow(refusal("ERR_ARCHIVE_COLLISION"));
  });

  it("a file below a link", () => {
    const table = [link("l", "d"), row("d/x"), row("l/y")];
    expect(() => judgeTable(table)).toThrow(refusal("ERR_ARCHIVE_COLLISION"));
  });
});

describe("links", () => {
  it.each([
    ["l", "a"],
    ["d/l", "../a"],
    ["d/e/l", "../../d/x"],
    ["d/l", "./x"],
    ["d/l", "."],
    ["l", "not/there"],
  ])("%s → %s is accepted", (path, target) => {
    expect(() => judgeTable([row("a"), row("d/x"), link(path, target)])).not.toThrow();
  });

  it("a chain of links is accepted", () => {
    const table = [link("lib.so", "lib.so.1"), link("lib.so.1", "lib.so.1.2"), row("lib.so.1.2")];
    expect(() => judgeTable(table)).not.toThrow();
  });

  it.each([
    ["l", ""],
    ["l", "/etc/passwd"],
    ["l", ".."],
    ["l", "../x"],
    ["d/l", "../../x"],
    ["l", "../capsule/a"],
    ["l", "d/../../x"],
    ["l", "d\\x"],
    ["l", "d\0x"],
    ["l", "d\nx"],
  ])("%s → %j is refused", (path, target) => {
    expect(() => judgeTable([row("d/x"), link(path, target)])).toThrow(
      refusal("ERR_ARCHIVE_UNSAFE_LINK"),
    );
  });

  it.each(["d/x", "D/x", "d/..", "d/.", "d/"])(
    "%s goes through a link and is refused",
    (target) => {
      const table = [link("l", target), link("d", "e"), row("e/x")];
      expect(() => judgeTable(table)).toThrow(refusal("ERR_ARCHIVE_UNSAFE_LINK"));
    },
  );
});

describe("files", () => {
  it.each([
    { mode: "4755" },
    { mode: "0777" },
    { mode: "644" },
    { size: -1 },
    { size: 1.5 },
    { size: Number.NaN },
    { size: 2 ** 53 },
    { digest: "sha256:abc" },
    { digest: `md5:${"0".repeat(64)}` },
  ])("%j is refused", (more) => {
    expect(() => judgeTable([row("a", more)])).toThrow(refusal("ERR_ARCHIVE_INVALID_ENTRY"));
  });
});

describe("limits", () => {
  const tooMuch = refusal("ERR_ARCHIVE_LIMIT");

  it.each([
    ["entries", { entries: 1 }, [row("a"), row("b")]],
    ["totalBytes", { totalBytes: 5 }, [row("a"), row("b")]],
    ["fileBytes", { fileBytes: 2 }, [row("a")]],
    ["pathBytes", { pathBytes: 4 }, [row("aaaaa")]],
    ["pathBytes, as UTF-8", { pathBytes: 4 }, [row("ööö")]],
    ["pathBytes of a link", { pathBytes: 4 }, [link("a", "bbbbb")]],
    ["nameBytes", { nameBytes: 3 }, [row("a/bbbb")]],
    ["depth", { depth: 2 }, [row("a/b/c")]],
  ])("%s", (_, limits, table) => {
    expect(() => judgeTable(table, limits)).toThrow(tooMuch);
  });

  it("have defaults, also where undefined is passed", () => {
    const table = [row("a".repeat(256))];
    expect(() => judgeTable(table)).toThrow(tooMuch);
    expect(() => judgeTable(table, { nameBytes: undefined })).toThrow(tooMuch);
    expect(() => judgeTable([row("a", { size: 5 * 2 ** 30 })])).toThrow(tooMuch);
    expect(() => judgeTable([row(Array(65).fill("a").join("/"))])).toThrow(tooMuch);
  });
});
