import { silentLogger } from "@roboticks/core";
import type { ManualClock } from "@roboticks/core/testing";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type CheckResult, HealthMonitor, type VerdictChanged } from "../src/index.ts";
import { FakeCheck, fail, manualMonitor, pass, unknown } from "./fakes.ts";

let clock: ManualClock;
let monitor: HealthMonitor;
beforeEach(() => {
  ({ clock, monitor } = manualMonitor());
});
afterEach(async () => {
  await monitor[Symbol.asyncDispose]();
  expect(clock.sleeping).toBe(0);
});

describe("watching", () => {
  it("runs every check at once and then on its grid", async () => {
    const quick = new FakeCheck("quick", pass, { intervalMs: 2_000 });
    const slow = new FakeCheck("slow");
    monitor.watch("lidar", [quick, slow], { intervalMs: 5_000 });
    await clock.advance(10_000);
    expect(quick.runs).toEqual([0, 2_000, 4_000, 6_000, 8_000, 10_000]);
    expect(slow.runs).toEqual([0, 5_000, 10_000]);
  });

  it("does not drift with slow runs, and skips what it missed", async () => {
    const check = new FakeCheck("a", pass, { intervalMs: 1_000 });
    check.behaviour = async ({ signal, clock }) => {
      await clock.sleep(check.runs.length === 2 ? 2_300 : 300, { signal });
      return pass;
    };
    monitor.watch("lidar", [check]);
    await clock.advance(6_000);
    expect(check.runs).toEqual([0, 1_000, 4_000, 5_000, 6_000]);
  });

  it("spreads checks that were added together", async () => {
    let seed = 0;
    const spread = new HealthMonitor({ clock, random: () => (seed = (seed + 0.37) % 1) });
    const checks = Array.from({ length: 20 }, (_, at) => new FakeCheck(`c${at}`));
    spread.watch("many", checks);
    await clock.advance(10_000);
    expect(checks.every(({ runs }) => runs[0] === 0)).toBe(true);
    expect(new Set(checks.map(({ runs }) => runs[1])).size).toBe(20);
    await spread[Symbol.asyncDispose]();
  });

  it("tells changes of the verdict, with their cause", async () => {
    const check = new FakeCheck("a");
    const target = monitor.watch("lidar", [check]);
    const heard: VerdictChanged[] = [];
    target.on("verdictChanged", (change) => heard.push(change));
    expect(target.verdict).toBe("starting");
    expect(target.cause).toMatchObject({ check: "a", reason: "no result yet" });
    await clock.advance(0);
    expect(target.verdict).toBe("healthy");
    expect(target.cause).toBeUndefined();
    check.result = fail("no scan");
    await clock.advance(30_000);
    check.result = pass;
    await clock.advance(10_000);
    expect(heard.map(({ from, to, cause }) => [from, to, cause?.reason])).toEqual([
      ["starting", "healthy", undefined],
      ["healthy", "degraded", "no scan"],
      ["degraded", "unhealthy", "no scan"],
      ["unhealthy", "healthy", undefined],
    ]);
    expect(heard[2]).toMatchObject({
      target: "lidar",
      at: Date.UTC(2026, 0, 1) + 30_000,
      cause: { check: "a", consecutiveFailures: 3, of: 3 },
    });
  });

  it("does not heed jumps of the wall time", async () => {
    const check = new FakeCheck("a", fail());
    const target = monitor.watch("lidar", [check]);
    await clock.advance(15_000);
    clock.setWallTime(0);
    await clock.advance(15_000);
    clock.setWallTime(Date.UTC(2040, 0));
    await clock.advance(20_000);
    expect(check.runs).toEqual([0, 10_000, 20_000, 30_000, 40_000, 50_000]);
    expect(target.verdict).toBe("starting");
  });

  it("lets the monitor hear everything of every target", async () => {
    const heard: string[] = [];
    monitor.on("checkCompleted", ({ target, check, record }) =>
      heard.push(`${target}/${check} ${record.status}`),
    );
    monitor.on("verdictChanged", ({ target, to }) => heard.push(`${target} ${to}`));
    monitor.watch("one", [new FakeCheck("a")]);
    monitor.watch("two", [new FakeCheck("b", unknown())]);
    await clock.advance(0);
    expect(heard).toEqual(["one/a pass", "one healthy", "two/b unknown"]);
  });

  it("survives a listener that throws", async () => {
    const error = vi.fn();
    const loud = new HealthMonitor({ clock, logger: { ...silentLogger, error } });
    const target = loud.watch("lidar", [new FakeCheck("a")]);
    target.on("verdictChanged", () => {
      throw new Error("mine");
    });
    await clock.advance(0);
    expect(target.verdict).toBe("healthy");
    expect(error).toHaveBeenCalledOnce();
    await loud[Symbol.asyncDispose]();
  });
});

describe("a check", () => {
  const lastReason = (name = "lidar"): string | undefined => monitor.get(name)?.cause?.reason;

  it("that takes too long has failed, and is aborted", async () => {
    const check = new FakeCheck("a");
    let aborted: unknown;
    check.behaviour = async ({ signal, clock }) => {
      await clock.sleep(60_000, { signal }).catch((reason) => {
        aborted = reason;
      });
      return pass;
    };
    const target = monitor.watch("lidar", [check], { startPeriodMs: 0 });
    await clock.advance(2_999);
    expect(aborted).toBeUndefined();
    await clock.advance(1);
    expect(lastReason()).toBe("timed out after 3s");
    expect(aborted).toMatchObject({ message: "timed out after 3s" });
    await clock.advance(20_000);
    expect(target.verdict).toBe("unhealthy");
    expect(check.runs).toEqual([0, 10_000, 20_000]);
  });

  it("that ignores its abort holds up nothing and never runs twice at once", async () => {
    const stuck = new FakeCheck("stuck");
    const ends = Promise.withResolvers<CheckResult>();
    stuck.behaviour = () => ends.promise;
    const other = new FakeCheck("other");
    const target = monitor.watch("lidar", [stuck, other], { startPeriodMs: 0 });
    await clock.advance(40_000);
    expect(stuck.runs).toEqual([0]);
    expect(other.runs).toHaveLength(5);
    expect(target.verdict).toBe("unknown");
    expect(lastReason()).toBe("still running after 40s; it ignored its timeout");
    stuck.result = pass;
    ends.resolve(pass);
    await clock.advance(10_000);
    expect(stuck.runs).toEqual([0, 50_000]);
    expect(target.verdict).toBe("healthy");
  });

  it.each([
    ["rejects", () => Promise.reject(new Error("no driver"))],
    [
      "throws at once",
      () => {
        throw new Error("no driver");
      },
    ],
  ])("that %s could not tell", async (_, behaviour) => {
    const check = new FakeCheck("a");
    check.behaviour = behaviour;
    const target = monitor.watch("lidar", [check], { startPeriodMs: 0 });
    await clock.advance(20_000);
    expect(target.verdict).toBe("unknown");
    expect(lastReason()).toBe("the check threw: no driver");
  });

  it("cannot fill the history with its reasons", async () => {
    monitor.watch("lidar", [new FakeCheck("a", fail("x".repeat(1e6)))]);
    await clock.advance(0);
    expect(lastReason()).toHaveLength(1_000);
  });
});

describe("snapshot and statistics", () => {
  it("show what is known, as plain data", async () => {
    const check = new FakeCheck("a");
    check.behaviour = async ({ signal, clock }) => {
      await clock.sleep(5, { signal });
      return { status: "pass", values: { percent: 80 } };
    };
    const target = monitor.watch("lidar", [check]);
    await clock.advance(250_000);
    const snapshot = target.snapshot();
    expect(JSON.parse(JSON.stringify(snapshot))).toEqual({
      name: "lidar",
      verdict: "healthy",
      since: Date.UTC(2026, 0, 1) + 5,
      checks: [
        {
          name: "a",
          kind: "fake",
          status: "passing",
          consecutiveFailures: 0,
          counters: { pass: 25, fail: 0, unknown: 0 },
          results: expect.any(Array),
        },
      ],
    });
    expect(snapshot.checks[0]?.results).toHaveLength(20);
    expect(target.snapshot({ results: 1 }).checks[0]?.results).toEqual([
      { status: "pass", values: { percent: 80 }, at: Date.UTC(2026, 0, 1) + 240_005, latencyMs: 5 },
    ]);
    const figures = {
      results: 25,
      availability: 1,
      latencyMs: { p50: 5, p95: 5, p99: 5 },
      flaps: 0,
    };
    expect(target.statistics()).toEqual({ ...figures, checks: { a: figures } });
  });
});

describe("refusals", () => {
  const code = (work: () => unknown): unknown => {
    try {
      return work();
    } catch (error) {
      return (error as { code?: string }).code;
    }
  };

  it("are told apart by their codes", async () => {
    monitor.watch("lidar", [new FakeCheck("a")]);
    expect(code(() => monitor.watch("lidar", [new FakeCheck("a")]))).toBe(
      "ERR_HEALTH_TARGET_EXISTS",
    );
    expect(code(() => monitor.watch("imu", []))).toBe("ERR_HEALTH_NO_CHECKS");
    const twins = [new FakeCheck("a"), new FakeCheck("a")];
    expect(code(() => monitor.watch("imu", twins))).toBe("ERR_HEALTH_CHECK_EXISTS");
    expect(code(() => monitor.watch("imu", [new FakeCheck("a")], { intervalMs: -1 }))).toBe(
      "ERR_HEALTH_INVALID_OPTION",
    );
    expect(monitor.targets().map(({ name }) => name)).toEqual(["lidar"]);
    await monitor[Symbol.asyncDispose]();
    expect(code(() => monitor.watch("imu", [new FakeCheck("a")]))).toBe("ERR_HEALTH_CLOSED");
  });
});

describe("disposal", () => {
  it("of a target frees its name and its timers, while a run is under way", async () => {
    const check = new FakeCheck("a");
    let aborted = false;
    check.behaviour = ({ signal }) =>
      new Promise((_, reject) => {
        signal.addEventListener("abort", () => {
          aborted = true;
          reject(signal.reason);
        });
      });
    const target = monitor.watch("lidar", [check]);
    const heard = vi.fn();
    monitor.on("checkCompleted", heard);
    await clock.advance(10);
    await monitor.unwatch("lidar");
    expect(aborted).toBe(true);
    expect(clock.sleeping).toBe(0);
    expect(heard).not.toHaveBeenCalled();
    expect(monitor.get("lidar")).toBeUndefined();
    await target[Symbol.asyncDispose]();
    await monitor.unwatch("lidar");
    monitor.watch("lidar", [new FakeCheck("a")]);
  });

  it("does not wait for a check that never ends", async () => {
    const check = new FakeCheck("a");
    check.behaviour = () => new Promise(() => {});
    monitor.watch("one", [check]);
    const late = new FakeCheck("late");
    late.behaviour = () => new Promise(() => {});
    monitor.watch("two", [late]);
    await clock.advance(5_000);
    await monitor[Symbol.asyncDispose]();
    await monitor[Symbol.asyncDispose]();
    expect(clock.sleeping).toBe(0);
    expect(monitor.targets()).toEqual([]);
  });

  it("of a target by one of its own listeners works", async () => {
    const check = new FakeCheck("a");
    const target = monitor.watch("lidar", [check]);
    let disposed: PromiseLike<void> | undefined;
    target.on("verdictChanged", () => {
      disposed = target[Symbol.asyncDispose]();
    });
    await clock.advance(60_000);
    await disposed;
    expect(check.runs).toEqual([0]);
  });

  it("does not make an old target's end take a new one's place", async () => {
    const old = monitor.watch("lidar", [new FakeCheck("a")]);
    const ending = old[Symbol.asyncDispose]();
    const next = monitor.watch("lidar", [new FakeCheck("a")]);
    await ending;
    await old[Symbol.asyncDispose]();
    expect(monitor.get("lidar")).toBe(next);
  });
});
