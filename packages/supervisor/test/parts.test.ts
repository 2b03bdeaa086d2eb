import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManualClock } from "@roboticks/core/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Bell } from "../src/bell.ts";
import { codeAndSignal } from "../src/exit.ts";
import { openLog, tail } from "../src/log.ts";
import { checkName, folderName, nameOfFolder } from "../src/name.ts";
import { parseNotes, upMs } from "../src/notes.ts";
import { parseStat } from "../src/processes/linux.ts";
import { parsePsLine } from "../src/processes/ps.ts";
import { checkProgram, type Program } from "../src/program.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "supervisor-parts-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("/proc/PID/stat", () => {
  const rest = "4 5 6 0 -1 4194304 90 0 0 0 0 0 0 0 20 0 1 0 195595 2703360 211 184";

  it("is read past a name with spaces and parentheses", () => {
    expect(parseStat(`42 (a) S (b c) S ${rest}`)).toEqual({
      pid: 42,
      start: "195595",
      parent: 4,
      group: 5,
      session: 6,
      zombie: false,
    });
  });

  it("tells a zombie", () => {
    expect(parseStat(`42 (sh) Z ${rest}`)?.zombie).toBe(true);
  });

  it.each(["", "42", "42 (sh)", "x (sh) S 1 2 3"])("makes nothing of %j", (text) => {
    expect(parseStat(text)).toBeUndefined();
  });
});

describe("a line of ps", () => {
  it("holds what /proc does, but for the session", () => {
    expect(parsePsLine("  42     4     5 Ss   Tue Nov 24 01:12:01 2026   ")).toEqual({
      pid: 42,
      start: "Tue_Nov_24_01:12:01_2026",
      parent: 4,
      group: 5,
      session: 5,
      zombie: false,
    });
    expect(parsePsLine("garbage")).toBeUndefined();
  });
});

describe("the notes of a life", () => {
  it("tell pid, start, status and time", () => {
    const notes = parseNotes(["started.42.100", "ended.139.31.07"]);
    expect(notes).toEqual({
      started: { pid: 42, start: "100" },
      ended: { status: 139, atMs: 31_070 },
      refused: false,
    });
    expect(upMs(notes)).toBe(30_070);
  });

  it("may lack the time, or be empty", () => {
    expect(parseNotes(["refused", "ended.127."])).toEqual({
      ended: { status: 127 },
      refused: true,
    });
    expect(parseNotes([])).toEqual({ refused: false });
    expect(upMs(parseNotes(["started.1.Tue Nov 24 2026", "ended.0."]))).toBe(0);
  });
});

describe("names", () => {
  it.each(["a", "perception/detector", "navigation-1.4_x", "9"])("%s is one", (name) => {
    checkName(name);
    expect(nameOfFolder(folderName(name))).toBe(name);
    expect(folderName(name)).not.toContain("/");
  });

  it.each(["", ".", "..", "a/../b", "/a", "a/", "a//b", "-a", "a b", "a+b", "ä", "a".repeat(129)])(
    "%j is none",
    (name) => {
      expect(() => checkName(name)).toThrow(
        expect.objectContaining({ code: "ERR_SUPERVISOR_INVALID_NAME" }),
      );
    },
  );
});

describe("a program", () => {
  const good = { command: "/bin/true", workingDirectory: "/" };

  it("gets its defaults", () => {
    expect(checkProgram(good)).toEqual({
      ...good,
      arguments: [],
      environment: {},
      restart: "never",
      stopSignal: "SIGTERM",
      stopGraceMs: 10_000,
      tag: "",
    });
  });

  it.each<Partial<Program>>([
    { command: "" },
    { command: "./relative" },
    { workingDirectory: "relative" },
    { environment: { "a.b": "1" } },
    { environment: { A: "x\0" } },
    { arguments: ["\0"] },
    { stopGraceMs: -1 },
    { stopGraceMs: Number.POSITIVE_INFINITY },
  ])("is refused with %j", (bad) => {
    expect(() => checkProgram({ ...good, ...bad })).toThrow(
      expect.objectContaining({ code: "ERR_SUPERVISOR_INVALID_PROGRAM" }),
    );
  });
});

describe("exit status", () => {
  it.each([
    [0, 0, null],
    [3, 3, null],
    [139, 139, "SIGSEGV"],
    [134, 134, "SIGABRT"],
    [255, 255, null],
    [undefined, null, null],
  ] as const)("%s is code %s, signal %s", (status, code, signal) => {
    expect(codeAndSignal(status)).toEqual({ code, signal });
  });
});

describe("a log", () => {
  it("shows its last lines", async () => {
    const path = join(folder, "x.log");
    expect(await tail(path, 5)).toEqual([]);
    await writeFile(path, "one\ntwo\r\nthree");
    expect(await tail(path, 2)).toEqual(["two", "three"]);
    expect(await tail(path, 0)).toEqual([]);
  });

  it("is made harmless: bad bytes, escapes, long lines", async () => {
    const path = join(folder, "x.log");
    const bytes = Buffer.from([0x66, 0xff, 0x07, 0x09, 0x0a]);
    await writeFile(path, Buffer.concat([bytes, Buffer.from("\u001b[31mred\u001b[0m\n")]));
    expect(await tail(path, 5)).toEqual(["f\u{fffd}\u{fffd}\t", "red"]);
    await writeFile(path, "x".repeat(5_000));
    expect((await tail(path, 1))[0]).toHaveLength(2_000);
  });

  it("is read from its end only, without the line that was cut", async () => {
    const path = join(folder, "x.log");
    await writeFile(path, `${"y".repeat(99)}\n`.repeat(1_000));
    const lines = await tail(path, 10_000);
    expect(lines.length).toBeLessThan(641);
    expect(new Set(lines)).toEqual(new Set(["y".repeat(99)]));
  });

  it("is put aside once it is too long", async () => {
    const path = join(folder, "logs", "current.log");
    await (await openLog(path)).close();
    await writeFile(path, Buffer.alloc(10_000_001));
    await (await openLog(path)).close();
    expect((await stat(path)).size).toBe(0);
    expect((await stat(join(folder, "logs", "previous.log"))).size).toBe(10_000_001);
  });
});

describe("a bell", () => {
  it("is heard when it rang before the waiting", async () => {
    const bell = new Bell();
    const clock = new ManualClock();
    bell.ring();
    await bell.wait(clock, 1_000);
    const waited = bell.wait(clock, 1_000);
    await clock.advance(999);
    expect(clock.sleeping).toBe(1);
    bell.ring();
    await waited;
    await clock.advance(0);
    expect(clock.sleeping).toBe(0);
  });
});
