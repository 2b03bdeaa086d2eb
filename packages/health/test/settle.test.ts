import { silentLogger } from "@roboticks/core";
import type { ManualClock } from "@roboticks/core/testing";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { HealthMonitor, type Settled, type SettleProgress } from "../src/index.ts";
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

const wanted = { healthyForMs: 10_000, withinMs: 300_000 };

/** When (monotonic) and how `settling` ended. */
function ending(settling: Promise<Settled>): Promise<Settled & { atMs: number }> {
  return settling.then((settled) => ({ ...settled, atMs: clock.monotonic() }));
}

describe("settle", () => {
  it("ends once it was healthy for long enough", async () => {
    const target = monitor.watch("lidar", [new FakeCheck("a"), new FakeCheck("b")]);
    const end = ending(target.settle(wanted));
    await clock.advance(10_000);
    expect(await end).toMatchObject({ kind: "healthy", verdict: "healthy", atMs: 10_000 });
  });

  it("begins to count when the last check has passed", async () => {
    const late = new FakeCheck("late", fail("booting"));
    const target = monitor.watch("lidar", [new FakeCheck("a"), late], { intervalMs: 4_000 });
    const end = ending(target.settle(wanted));
    await clock.advance(17_000);
    late.result = pass;
    await clock.advance(20_000);
    expect(await end).toMatchObject({ kind: "healthy", atMs: 30_000 });
  });

  it("begins anew after every break", async () => {
    const check = new FakeCheck("a", pass, { intervalMs: 3_000 });
    const end = ending(monitor.watch("lidar", [check]).settle(wanted));
    await clock.advance(4_000);
    check.result = fail("dropped a frame");
    await clock.advance(3_000);
    check.result = pass;
    await clock.advance(20_000);
    expect(await end).toMatchObject({ kind: "healthy", atMs: 19_000 });
  });

  it("ends at once when a check is failing", async () => {
    const check = new FakeCheck("a");
    const target = monitor.watch("lidar", [check], { intervalMs: 1_000 });
    const end = ending(target.settle(wanted));
    await clock.advance(500);
    check.result = fail("503: map not loaded");
    await clock.advance(10_000);
    expect(await end).toMatchObject({
      kind: "unhealthy",
      atMs: 3_000,
      cause: { check: "a", reason: "503: map not loaded", consecutiveFailures: 3, of: 3 },
    });
    expect(await target.settle(wanted)).toMatchObject({ kind: "unhealthy" });
  });

  it("ends at the deadline with what kept it from being healthy", async () => {
    const check = new FakeCheck("a", fail("booting"), { startPeriodMs: 600_000 });
    const end = ending(monitor.watch("lidar", [check]).settle({ ...wanted, withinMs: 25_000 }));
    await clock.advance(25_000);
    expect(await end).toMatchObject({
      kind: "deadline",
      verdict: "starting",
      atMs: 25_000,
      cause: { check: "a", reason: "booting" },
    });
  });

  it("ends at the deadline when the healthy time would take longer, and says what broke it", async () => {
    const check = new FakeCheck("a", fail("booting"), { intervalMs: 1_000 });
    const end = ending(monitor.watch("lidar", [check]).settle({ ...wanted, withinMs: 12_000 }));
    await clock.advance(4_500);
    check.result = pass;
    await clock.advance(7_500);
    expect(await end).toMatchObject({
      kind: "deadline",
      verdict: "healthy",
      atMs: 12_000,
      cause: { reason: "booting" },
    });
  });

  it("prefers healthy where the healthy time ends with the deadline", async () => {
    const check = new FakeCheck("a", fail(), { intervalMs: 1_000 });
    const end = ending(monitor.watch("lidar", [check]).settle({ ...wanted, withinMs: 12_000 }));
    await clock.advance(1_500);
    check.result = pass;
    await clock.advance(10_500);
    expect(await end).toMatchObject({ kind: "healthy", atMs: 12_000 });
  });

  it("is unknown at the deadline when the checks could not tell", async () => {
    const target = monitor.watch("lidar", [new FakeCheck("a", unknown("no bus"))], {
      startPeriodMs: 0,
    });
    const end = ending(target.settle({ ...wanted, withinMs: 45_000 }));
    await clock.advance(45_000);
    expect(await end).toMatchObject({ kind: "unknown", cause: { reason: "no bus" }, atMs: 45_000 });
  });

  it("does not take a pass from before the call as evidence", async () => {
    const check = new FakeCheck("a", pass, { intervalMs: 60_000 });
    const target = monitor.watch("lidar", [check]);
    await clock.advance(5_000);
    const end = ending(target.settle(wanted));
    await clock.advance(100_000);
    expect(await end).toMatchObject({ kind: "healthy", atMs: 70_000 });
  });

  it("leaves out the checks that are no evidence", async () => {
    const broken = new FakeCheck("unplugged", fail("no device"), { startPeriodMs: 0 });
    const target = monitor.watch("lidar", [broken, new FakeCheck("b")]);
    await clock.advance(60_000);
    expect(target.verdict).toBe("unhealthy");
    const settling = target.settle({ ...wanted, ignore: ["unplugged", "never heard of"] });
    await clock.advance(20_000);
    expect(await settling).toMatchObject({ kind: "healthy" });
  });

  it("has nothing to hold against a target of which all checks are ignored", async () => {
    const target = monitor.watch("lidar", [new FakeCheck("a", fail(), { startPeriodMs: 0 })]);
    const end = ending(target.settle({ ...wanted, ignore: ["a"] }));
    await clock.advance(10_000);
    expect(await end).toMatchObject({ kind: "healthy", atMs: 10_000 });
  });

  it("tells how far it is, and survives a listener that throws", async () => {
    const error = vi.fn();
    const loud = new HealthMonitor({
      clock,
      random: () => 0,
      logger: { ...silentLogger, error },
    });
    const late = new FakeCheck("late", fail("booting"), { intervalMs: 4_000 });
    const seen: SettleProgress[] = [];
    const target = loud.watch("lidar", [new FakeCheck("a"), late]);
    const settling = target.settle({
      ...wanted,
      onProgress: (progress) => {
        seen.push(progress);
        throw new Error("mine");
      },
    });
    await clock.advance(0);
    late.result = pass;
    await clock.advance(20_000);
    await settling;
    expect(seen[1]).toMatchObject({
      verdict: "starting",
      cause: { reason: "booting" },
      passing: 1,
      of: 2,
      healthyMs: 0,
      leftMs: 300_000,
    });
    expect(seen.at(-1)).toMatchObject({ verdict: "healthy", passing: 2, of: 2, healthyMs: 8_000 });
    expect(error).toHaveBeenCalledTimes(seen.length);
    await loud[Symbol.asyncDispose]();
  });

  it("can be given up, while the watching goes on", async () => {
    const check = new FakeCheck("a");
    const target = monitor.watch("lidar", [check]);
    const abort = new AbortController();
    const refused = expect(target.settle({ ...wanted, signal: abort.signal })).rejects.toThrow(
      "enough",
    );
    await clock.advance(5_000);
    abort.abort(new Error("enough"));
    await refused;
    await expect(target.settle({ ...wanted, signal: abort.signal })).rejects.toThrow("enough");
    await clock.advance(5_000);
    expect(check.runs).toEqual([0, 10_000]);
    expect(clock.sleeping).toBe(1);
  });

  it("ends with an error when its target is disposed", async () => {
    const target = monitor.watch("lidar", [new FakeCheck("a", fail())]);
    const refused = expect(target.settle(wanted)).rejects.toMatchObject({
      code: "ERR_HEALTH_CLOSED",
    });
    await clock.advance(0);
    await monitor[Symbol.asyncDispose]();
    await refused;
    await expect(target.settle(wanted)).rejects.toMatchObject({ code: "ERR_HEALTH_CLOSED" });
  });

  it.each([{ healthyForMs: -1 }, { withinMs: Number.NaN }])("refuses %j", async (wrong) => {
    const target = monitor.watch("lidar", [new FakeCheck("a")]);
    await expect(target.settle({ ...wanted, ...wrong })).rejects.toMatchObject({
      code: "ERR_HEALTH_INVALID_OPTION",
    });
  });
});
