import { describe, expect, it } from "vitest";
import { Schedule } from "../src/schedule.ts";

const fixed = (random: number): Schedule =>
  new Schedule({ startMs: 1_000, intervalMs: 100, random: () => random });

describe("the schedule", () => {
  it("is a grid from the start", () => {
    const schedule = fixed(0);
    expect([1_003, 1_100, 1_250].map((now) => schedule.next(now))).toEqual([1_100, 1_200, 1_300]);
  });

  it("skips what was missed", () => {
    const schedule = fixed(0);
    schedule.next(1_000);
    expect(schedule.next(1_730)).toBe(1_800);
  });

  it("begins anywhere in the first interval, and draws each run by a tenth at the most", () => {
    const schedule = fixed(0.5);
    expect(schedule.next(1_001)).toBe(1_055);
    expect(schedule.next(1_056)).toBe(1_155);
  });

  it("never names a place twice, nor one that has gone by, whatever the interval", () => {
    for (const intervalMs of [1 / 3, 0.1, 7.7, 1e9 / 7]) {
      const schedule = new Schedule({ startMs: 0.3, intervalMs, random: () => 0 });
      let now = 0.3;
      for (let run = 0; run < 1_000; run++) {
        const next = schedule.next(now);
        expect(next - now).toBeGreaterThan(intervalMs / 2);
        expect(next - now).toBeLessThan(intervalMs * 1.5);
        now = next;
      }
    }
  });
});
