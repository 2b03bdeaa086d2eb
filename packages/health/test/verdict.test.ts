import { describe, expect, it } from "vitest";
import type { CheckResult } from "../src/check.ts";
import { type ResolvedCheckOptions, resolveOptions } from "../src/options.ts";
import {
  type CheckState,
  initialState,
  type JudgedCheck,
  judge,
  reduceCheck,
  statusOf,
} from "../src/verdict.ts";
import { fail, pass, unknown } from "./fakes.ts";

const results: Record<string, CheckResult> = { P: pass, F: fail(), U: unknown() };

/** The state after `letters` (P, F, U), one each 10 s, the first at 0. */
function after(letters: string, options: ResolvedCheckOptions): CheckState {
  let state = initialState({ monotonicMs: 0, wallMs: 0 }, options);
  [...letters].forEach((letter, at) => {
    const now = { monotonicMs: at * 10_000, wallMs: at * 10_000 };
    state = reduceCheck(state, results[letter] ?? pass, now, options);
  });
  return state;
}

const check = (letters: string, own = {}, name = "a"): JudgedCheck => {
  const options = resolveOptions(name, own);
  return { name, options, state: after(letters, options) };
};

describe("one check", () => {
  it.each([
    // start period of 60 s: six results that do not count unless they pass
    ["", "starting"],
    ["FFFFFF", "starting"],
    ["UUUUUU", "starting"],
    ["FFFFFFFF", "starting"],
    ["FFFFFFFFF", "failing"],
    ["FFFFP", "passing"],
    ["PFFF", "failing"],
    // thresholds
    ["PFF", "passing"],
    ["PFFPFF", "passing"],
    ["PFFFP", "passing"],
    // unknown neither counts as a failure nor breaks a row of them
    ["PUU", "passing"],
    ["PUUU", "unknown"],
    ["PUUUP", "passing"],
    ["PFUFUF", "failing"],
    ["PUUPUU", "passing"],
    ["PFFFUUU", "unknown"],
    ["PFFFUUUF", "failing"],
    ["PUUUF", "passing"],
    // sliding window: six of ten, without three in a row
    ["PFFPFFPFF", "passing"],
    ["PFFPFFPFFP", "failing"],
    ["PFFPFFPFFPP", "failing"],
    ["PFFPFFPFFPPP", "passing"],
    ["PFPFPFPFPFPFPFPF", "passing"],
    // a long outage fills the window, which then has to empty below six of ten
    ["PFFFFFFFFFFPPPP", "failing"],
    ["PFFFFFFFFFFPPPPP", "passing"],
  ] as const)("%s is %s", (letters, status) => {
    expect(statusOf(check(letters))).toBe(status);
  });

  it("takes as many passes as asked", () => {
    const strict = { successThreshold: 2 };
    expect(statusOf(check("P", strict))).toBe("starting");
    expect(statusOf(check("PP", strict))).toBe("passing");
    expect(statusOf(check("PPFFFP", strict))).toBe("failing");
    expect(statusOf(check("PPFFFPP", strict))).toBe("passing");
  });

  it("counts failures from a first pass on, even where one pass is not enough", () => {
    expect(statusOf(check("PFFF", { successThreshold: 2 }))).toBe("failing");
  });

  it("counts at once without a start period", () => {
    expect(statusOf(check("FFF", { startPeriodMs: 0 }))).toBe("failing");
  });

  it("counts from the end of the start period, not from its beginning", () => {
    expect(check("FFFFFFF").state.failures).toBe(1);
  });
});

describe("a target", () => {
  it.each([
    ["all passing", ["P", "P"], "healthy", undefined],
    ["one failing, one unknown", ["PUUU", "PFFF"], "unhealthy", "b"],
    ["one unknown, one starting", ["", "PUUU"], "unknown", "b"],
    ["one starting, one wavering", ["PF", "F"], "starting", "b"],
    ["one wavering", ["P", "PF"], "degraded", "b"],
    ["one that could not tell just now", ["PU", "P"], "degraded", "a"],
    ["none at all", [], "healthy", undefined],
  ] as const)("with %s", (_, letters, verdict, culprit) => {
    const checks = letters.map((each, at) => check(each, {}, "ab"[at]));
    const judgement = judge(checks);
    expect(judgement.verdict).toBe(verdict);
    expect(judgement.cause?.check).toBe(culprit);
  });

  it("says why", () => {
    expect(judge([check("PFFF")]).cause).toEqual({
      check: "a",
      reason: "broken",
      consecutiveFailures: 3,
      of: 3,
      at: 30_000,
    });
    expect(judge([check("PFFPFFPFFP")]).cause?.reason).toBe("broken (6 of the last 10 failed)");
    expect(judge([check("PUUUU")]).cause).toMatchObject({
      reason: "cannot tell",
      consecutiveFailures: 4,
    });
    expect(judge([check("")]).cause).toMatchObject({
      reason: "no result yet",
      consecutiveFailures: 0,
    });
    expect(judge([check("FF")]).cause).toMatchObject({ reason: "broken", consecutiveFailures: 0 });
  });
});

describe("any sequence of results", () => {
  /** A small generator of numbers in [0, 1), the same for the same seed (mulberry32). */
  const generator = (seed: number) => () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };

  it("keeps the rules", () => {
    for (let seed = 1; seed <= 300; seed++) {
      const random = generator(seed);
      const upTo = (most: number): number => 1 + Math.floor(random() * most);
      const options = resolveOptions("a", {
        startPeriodMs: Math.floor(random() * 100_000),
        successThreshold: upTo(3),
        failureThreshold: upTo(4),
        windowSize: upTo(12),
        windowFailed: upTo(10) / 10,
      });
      const goodShare = random();
      let state = initialState({ monotonicMs: 0, wallMs: 0 }, options);
      const counted: boolean[] = [];
      let hasPassed = false;
      for (let step = 0; step < 120; step++) {
        const monotonicMs = step * 10_000;
        const draw = random();
        const result =
          draw < goodShare ? pass : draw < (1 + 2 * goodShare) / 3 ? unknown() : fail();
        state = reduceCheck(state, result, { monotonicMs, wallMs: 0 }, options);
        hasPassed ||= result.status === "pass";
        const counts = hasPassed || monotonicMs >= options.startPeriodMs;
        if (counts && result.status !== "unknown") counted.push(result.status === "fail");

        const status = statusOf({ options, state });
        const lastFailures = counted.slice(-options.failureThreshold);
        const window = counted.slice(-options.windowSize);
        const failedPart = window.filter(Boolean).length / options.windowSize;
        const inARow =
          lastFailures.length === options.failureThreshold && lastFailures.every(Boolean);
        const windowBad =
          window.length === options.windowSize && failedPart >= options.windowFailed;
        const goodEnough = counted.slice(-options.successThreshold);
        const why = `seed ${seed}, step ${step}`;
        expect(state.window, why).toEqual(window);
        if (inARow || windowBad) expect(["failing", "unknown"], why).toContain(status);
        if (status === "starting") expect(inARow || windowBad, why).toBe(false);
        if (status === "passing") {
          expect(hasPassed && !inARow && !windowBad, why).toBe(true);
        }
        if (status === "unknown") expect(result.status, why).toBe("unknown");
        const allGood =
          result.status === "pass" &&
          state.passes >= options.successThreshold &&
          goodEnough.every((failed) => !failed) &&
          !windowBad;
        if (allGood) expect(status, why).toBe("passing");
        const { verdict, cause } = judge([{ name: "a", options, state }]);
        expect(verdict === "healthy", why).toBe(status === "passing" && result.status === "pass");
        expect(cause === undefined, why).toBe(verdict === "healthy");
      }
    }
  });
});
