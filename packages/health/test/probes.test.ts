import { systemClock } from "@roboticks/core";
import { describe, expect, it } from "vitest";
import { http, type ProcessReading, process, tcp } from "../src/index.ts";

const run = (reading: ProcessReading) =>
  process({ status: () => reading }).run({
    signal: new AbortController().signal,
    clock: systemClock,
  });

describe("process", () => {
  const running: ProcessReading = { state: "running", pid: 7, restarts: 2, crashLooping: false };

  it("passes while it runs", async () => {
    expect(await run(running)).toEqual({ status: "pass", values: { restarts: 2 } });
  });

  it.each<[Partial<ProcessReading>, string]>([
    [{ state: "ended", lastExit: { code: 3, signal: null } }, "has ended: exit code 3"],
    [
      { state: "ended", lastExit: { code: null, signal: "SIGSEGV" } },
      "has ended: ended by SIGSEGV",
    ],
    [
      { state: "ended", lastExit: { code: null, signal: null } },
      "has ended: how it ended was not seen",
    ],
    [{ state: "ended" }, "has ended"],
    [
      { state: "restarting", lastExit: { code: 1, signal: null } },
      "is being restarted: exit code 1",
    ],
    [
      { crashLooping: true, restarts: 9, lastExit: { code: 1, signal: null } },
      "crashes again and again, 9 restarts so far: exit code 1",
    ],
  ])("fails on %j", async (change, reason) => {
    expect(await run({ ...running, ...change })).toEqual({ status: "fail", reason });
  });
});

describe("probes", () => {
  it("have names and carry their check options", () => {
    const checks = [
      http({ url: "http://localhost", intervalMs: 5 }),
      tcp({ port: 1, name: "scan", timeoutMs: 6 }),
      process({ status: () => ({ state: "running", restarts: 0, crashLooping: false }) }),
    ];
    expect(checks.map(({ name, kind, options }) => ({ name, kind, options }))).toEqual([
      { name: "http", kind: "http", options: { intervalMs: 5 } },
      { name: "scan", kind: "tcp", options: { timeoutMs: 6 } },
      { name: "process", kind: "process", options: {} },
    ]);
  });

  const invalid = "ERR_HEALTH_INVALID_OPTION";
  it.each([
    ["https", "ERR_HEALTH_UNSUPPORTED", () => http({ url: "https://robot/" })],
    ["credentials", "ERR_HEALTH_UNSUPPORTED", () => http({ url: "http://a:b@robot/" })],
    ["no URL", invalid, () => http({ url: "127.0.0.1:80/health" })],
    ["port 0", invalid, () => http({ url: "http://robot:0/" })],
    [
      "a line break in a header",
      invalid,
      () => http({ url: "http://r", headers: { a: "b\r\nc: d" } }),
    ],
    [
      "a space in a header's name",
      invalid,
      () => http({ url: "http://r", headers: { "a b": "c" } }),
    ],
    [
      "a header of its own",
      invalid,
      () => http({ url: "http://r", headers: { Connection: "keep-alive" } }),
    ],
    ["no status", invalid, () => http({ url: "http://r", expectStatus: [] })],
    ["an interim status", invalid, () => http({ url: "http://r", expectStatus: 100 })],
    ["a port that is none", invalid, () => tcp({ port: 65_536 })],
  ])("refuse %s", (_, code, make) => {
    expect(make).toThrow(expect.objectContaining({ code }));
  });
});
