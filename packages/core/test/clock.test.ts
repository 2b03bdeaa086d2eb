import { describe, expect, it } from "vitest";
import { type Clock, systemClock, withTimeout } from "../src/index.ts";
import { clockContract, ManualClock } from "../src/testing/index.ts";

function runContract(
  name: string,
  make: () => { clock: Clock; pass: (ms: number) => Promise<void> },
): void {
  describe(name, () => {
    for (const rule of clockContract) {
      it(rule.name, async () => {
        const { clock, pass } = make();
        await rule.run(clock, pass);
      });
    }
  });
}

runContract("the machine's clock", () => ({
  clock: systemClock,
  pass: (ms) => systemClock.sleep(ms),
}));
runContract("the manual clock", () => {
  const clock = new ManualClock();
  return { clock, pass: (ms) => clock.advance(ms) };
});

describe("the manual clock", () => {
  it("jumps in wall time without waking anyone", async () => {
    const clock = new ManualClock();
    const slept = clock.sleep(1_000);
    clock.setWallTime(0);
    expect(clock.now()).toBe(0);
    expect(clock.sleeping).toBe(1);
    await clock.advance(1_000);
    await slept;
    expect(clock.now()).toBe(1_000);
  });
});

describe("a clock that stalls", () => {
  it("wakes all that was due at the end", async () => {
    const clock = new ManualClock();
    const times: number[] = [];
    const sleeps = [10, 20].map((ms) => clock.sleep(ms).then(() => times.push(clock.monotonic())));
    await clock.stall(100);
    await Promise.all(sleeps);
    expect(times).toEqual([100, 100]);
  });
});

describe("withTimeout", () => {
  it("gives the work's result and leaves no timer", async () => {
    const clock = new ManualClock();
    expect(
      await withTimeout(
        clock,
        100,
        () => new Error("late"),
        async () => 7,
      ),
    ).toBe(7);
    expect(clock.sleeping).toBe(0);
  });

  it("makes no error, which costs, to stop the timer", async () => {
    const manual = new ManualClock();
    const stopped: unknown[] = [];
    const clock: Clock = {
      now: () => manual.now(),
      monotonic: () => manual.monotonic(),
      sleep: (ms, options) =>
        manual.sleep(ms, options).catch((reason) => {
          stopped.push(reason);
          throw reason;
        }),
    };
    await withTimeout(
      clock,
      100,
      () => new Error("late"),
      async () => {},
    );
    await manual.advance(0);
    expect(stopped).toEqual([expect.any(String)]);
  });

  it("aborts work that takes too long with the given reason", async () => {
    const clock = new ManualClock();
    const result = withTimeout(
      clock,
      100,
      () => new Error("late"),
      (signal) => clock.sleep(1_000, { signal }),
    );
    const refused = expect(result).rejects.toThrow("late");
    await clock.advance(100);
    await refused;
    expect(clock.sleeping).toBe(0);
  });
});
