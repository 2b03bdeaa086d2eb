import { getEventListeners } from "node:events";
import type { ManualClock } from "@roboticks/core/testing";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { HealthMonitor } from "../src/index.ts";
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

/** Every result counts at once, every second. */
const strict = { intervalMs: 1_000, startPeriodMs: 0, failureThreshold: 1 };

/** When (monotonic) and with what cause `failing` ended; undefined until then. */
function ending(failing: Promise<object>): { value: object | undefined } {
  const end: { value: object | undefined } = { value: undefined };
  failing.then(
    (cause) => {
      end.value = { ...cause, atMs: clock.monotonic() };
    },
    (error) => {
      end.value = { error };
    },
  );
  return end;
}

describe("failed", () => {
  it("resolves once it has been failing for long enough, with the cause", async () => {
    const check = new FakeCheck("a", pass, strict);
    const end = ending(monitor.watch("lidar", [check]).failed({ lastingMs: 5_000 }));
    await clock.advance(2_500);
    check.result = fail("no scan");
    await clock.advance(5_499);
    expect(end.value).toBeUndefined();
    check.result = fail("no scan at all");
    await clock.advance(1);
    expect(end.value).toMatchObject({ check: "a", reason: "no scan", atMs: 8_000 });
  });

  it("begins anew after every break", async () => {
    const check = new FakeCheck("a", fail(), { ...strict, windowSize: 100 });
    const end = ending(monitor.watch("lidar", [check]).failed({ lastingMs: 5_000 }));
    await clock.advance(3_500);
    check.result = pass;
    await clock.advance(1_000);
    check.result = fail("again");
    await clock.advance(9_000);
    expect(end.value).toMatchObject({ reason: "again", atMs: 10_000 });
  });

  it("takes a check that can no longer tell for a break", async () => {
    const check = new FakeCheck("a", fail(), strict);
    const end = ending(monitor.watch("lidar", [check]).failed({ lastingMs: 5_000 }));
    await clock.advance(2_500);
    check.result = unknown("no bus");
    await clock.advance(60_000);
    expect(end.value).toBeUndefined();
  });

  it("goes on when one check takes over from another", async () => {
    const first = new FakeCheck("first", fail("one"), { ...strict, windowSize: 100 });
    const second = new FakeCheck("second", pass, strict);
    const target = monitor.watch("lidar", [first, second]);
    const end = ending(target.failed({ lastingMs: 5_000 }));
    await clock.advance(1_500);
    second.result = fail("two");
    await clock.advance(1_000);
    first.result = pass;
    await clock.advance(10_000);
    expect(end.value).toMatchObject({ check: "second", reason: "two", atMs: 5_000 });
  });

  it("with no time to last is at once, also when it fails already", async () => {
    const check = new FakeCheck("a", pass, strict);
    const target = monitor.watch("lidar", [check]);
    const end = ending(target.failed({ lastingMs: 0 }));
    await clock.advance(1_500);
    expect(end.value).toBeUndefined();
    check.result = fail("no scan");
    await clock.advance(500);
    expect(end.value).toMatchObject({ reason: "no scan", atMs: 2_000 });
    await expect(target.failed({ lastingMs: 0 })).resolves.toMatchObject({ reason: "no scan" });
  });

  it("counts from the call where it fails already", async () => {
    const target = monitor.watch("lidar", [new FakeCheck("a", fail(), strict)]);
    await clock.advance(10_000);
    const end = ending(target.failed({ lastingMs: 5_000 }));
    await clock.advance(5_000);
    expect(end.value).toMatchObject({ check: "a", atMs: 15_000 });
  });

  it("lets no check that is ignored hide another one", async () => {
    const unplugged = new FakeCheck("unplugged", fail("no device"), strict);
    const other = new FakeCheck("other", pass, strict);
    const target = monitor.watch("lidar", [unplugged, other]);
    const end = ending(target.failed({ lastingMs: 3_000, ignore: ["unplugged", "unheard of"] }));
    await clock.advance(10_500);
    expect(target.verdict).toBe("unhealthy");
    expect(end.value).toBeUndefined();
    other.result = fail("crashed");
    await clock.advance(10_000);
    expect(end.value).toMatchObject({ check: "other", reason: "crashed", atMs: 14_000 });
  });

  it("does not take what is ignored for a break either", async () => {
    const flapping = new FakeCheck("flapping", fail(), { ...strict, intervalMs: 700 });
    const other = new FakeCheck("other", fail("crashed"), strict);
    const target = monitor.watch("lidar", [flapping, other]);
    const end = ending(target.failed({ lastingMs: 3_000, ignore: ["flapping"] }));
    await clock.advance(1_000);
    flapping.result = pass;
    await clock.advance(2_000);
    expect(end.value).toMatchObject({ check: "other", atMs: 3_000 });
  });

  it("never comes to it where all checks are ignored", async () => {
    const target = monitor.watch("lidar", [new FakeCheck("a", fail(), strict)]);
    const abort = new AbortController();
    const end = ending(target.failed({ lastingMs: 0, ignore: ["a"], signal: abort.signal }));
    await clock.advance(60_000);
    expect(end.value).toBeUndefined();
  });

  it("can be given up, while the watching goes on, and leaves no listener", async () => {
    const check = new FakeCheck("a", fail(), strict);
    const target = monitor.watch("lidar", [check]);
    const abort = new AbortController();
    const { signal } = abort;
    const reason = new Error("enough");
    const refused = expect(target.failed({ lastingMs: 5_000, signal })).rejects.toBe(reason);
    await clock.advance(1_500);
    abort.abort(reason);
    await refused;
    await expect(target.failed({ lastingMs: 0, signal })).rejects.toBe(reason);
    expect(getEventListeners(signal, "abort")).toEqual([]);
    await clock.advance(1_000);
    expect(check.runs).toEqual([0, 1_000, 2_000]);
    expect(clock.sleeping).toBe(1);
  });

  it("ends with an error when its target is disposed", async () => {
    const target = monitor.watch("lidar", [new FakeCheck("a")]);
    const { signal } = new AbortController();
    const closed = { code: "ERR_HEALTH_CLOSED" };
    const refused = expect(target.failed({ lastingMs: 0, signal })).rejects.toMatchObject(closed);
    await clock.advance(0);
    await monitor[Symbol.asyncDispose]();
    await refused;
    expect(getEventListeners(signal, "abort")).toEqual([]);
    await expect(target.failed({ lastingMs: 0 })).rejects.toMatchObject(closed);
  });

  it.each([-1, Number.NaN])("refuses to last for %d ms", async (lastingMs) => {
    const target = monitor.watch("lidar", [new FakeCheck("a")]);
    await expect(target.failed({ lastingMs })).rejects.toMatchObject({
      code: "ERR_HEALTH_INVALID_OPTION",
    });
  });
});
