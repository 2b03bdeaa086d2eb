import { describe, expect, it } from "vitest";
import { afterExit, noHistory, restartPolicy, restarts } from "../src/restart-policy.ts";

const policy = restartPolicy();

/** The pauses after exits of a program that ran `upMs` each time. */
function pauses(count: number, upMs: number, options = policy): number[] {
  let history = noHistory;
  let atMs = 0;
  return Array.from({ length: count }, () => {
    atMs += upMs;
    const next = afterExit(history, { atMs, upMs }, options);
    history = next.history;
    atMs += next.delayMs;
    return next.delayMs;
  });
}

describe("restart policy", () => {
  it("restarts at once, then after 500 ms × 2 up to the cap", () => {
    const calm = restartPolicy({}, { exits: 100 });
    expect(pauses(9, 100, calm)).toEqual([0, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]);
  });

  it("begins anew after a program that ran for 30 s", () => {
    expect(pauses(8, 30_000)).toEqual(Array(8).fill(0));
    const { history } = afterExit(noHistory, { atMs: 100, upMs: 100 }, policy);
    expect(afterExit(history, { atMs: 40_000, upMs: 39_900 }, policy).delayMs).toBe(0);
  });

  it("calls 5 exits in 60 s a crash loop and goes on at the cap", () => {
    expect(pauses(7, 100)).toEqual([0, 500, 1000, 2000, 30_000, 30_000, 30_000]);
    let history = noHistory;
    for (const atMs of [0, 1, 2, 3])
      history = afterExit(history, { atMs, upMs: 0 }, policy).history;
    expect(history.crashLooping).toBe(false);
    history = afterExit(history, { atMs: 4, upMs: 0 }, policy).history;
    expect(history.crashLooping).toBe(true);
    history = afterExit(history, { atMs: 40_000, upMs: 30_000 }, policy).history;
    expect(history.crashLooping).toBe(false);
  });

  it("forgets exits that are older than the window", () => {
    let history = noHistory;
    for (const atMs of [0, 20_000, 40_000, 60_000, 80_000, 100_000]) {
      history = afterExit(history, { atMs, upMs: 10 }, policy).history;
    }
    expect(history.crashLooping).toBe(false);
  });

  it.each([
    ["always", 0, true],
    ["always", 1, true],
    ["on-failure", 0, false],
    ["on-failure", 139, true],
    ["on-failure", null, true],
    ["never", 1, false],
  ] as const)("%s after exit status %s: %s", (restart, code, isRestarted) => {
    expect(restarts(restart, { code })).toBe(isRestarted);
  });
});
