import type { CheckResult } from "./check.ts";
import type { ResolvedCheckOptions } from "./options.ts";

/**
 * What health says of a target:
 *
 * - `starting`: a check has not passed yet, and may still need time
 * - `healthy`: every check is passing, and its last result was a pass
 * - `degraded`: every check is passing by its thresholds, but a last result was no pass
 * - `unhealthy`: a check is failing
 * - `unknown`: no check is failing, but one can no longer tell
 */
export type Verdict = "starting" | "healthy" | "degraded" | "unhealthy" | "unknown";

/** What the results of one check amount to, by its thresholds. */
export type CheckStatus = "starting" | "passing" | "failing" | "unknown";

/** Why a verdict is not `healthy`. */
export interface Cause {
  /** The check's name. */
  readonly check: string;
  /** What its last result that was no pass said. */
  readonly reason: string;
  /**
   * Failures (for `unknown`: unknowns) in a row that count; those of the start period do not.
   */
  readonly consecutiveFailures: number;
  /** How many of them in a row it takes (`failureThreshold`). */
  readonly of: number;
  /** When that last result came, wall time in ms since 1970. */
  readonly at: number;
}

/** The verdict of a target and why. */
export type Judgement =
  | { readonly verdict: "healthy"; readonly cause: undefined }
  | { readonly verdict: Exclude<Verdict, "healthy">; readonly cause: Cause };

/** One instant on both clocks: spans are measured on the monotonic one, people read the other. */
export interface Moment {
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/**
 * What is remembered of one check.
 *
 * ```
 *              passes ≥ successThreshold, window good
 *  starting ───────────────────────────────────────────▶ passing
 *      │                                                  │   ▲
 *      │ failures ≥ failureThreshold, or window bad       │   │ as above
 *      └────────────────────────▶ failing ◀───────────────┘   │
 *                                    └────────────────────────┘
 *  and over each of them: unknown, while unknowns ≥ failureThreshold
 * ```
 */
export interface CheckState {
  readonly decision: Exclude<CheckStatus, "unknown">;
  /** When the start period ends unless a pass ends it, monotonic. */
  readonly startPeriodEndsMs: number;
  readonly hasPassed: boolean;
  readonly lastStatus: CheckResult["status"] | undefined;
  /** In a row. */
  readonly passes: number;
  /** In a row; an unknown in between neither counts nor breaks the row. */
  readonly failures: number;
  /** In a row. */
  readonly unknowns: number;
  /** The last counted passes (false) and failures (true), oldest first. */
  readonly window: readonly boolean[];
  /** The last result that was no pass. */
  readonly problem: { readonly reason: string; readonly at: number };
}

/** What reads states in the light of their check's options. */
export interface JudgedCheck {
  readonly name: string;
  readonly options: ResolvedCheckOptions;
  readonly state: CheckState;
}

/** The state of a check that has not run yet. */
export function initialState(now: Moment, { startPeriodMs }: ResolvedCheckOptions): CheckState {
  return {
    decision: "starting",
    startPeriodEndsMs: now.monotonicMs + startPeriodMs,
    hasPassed: false,
    lastStatus: undefined,
    passes: 0,
    failures: 0,
    unknowns: 0,
    window: [],
    problem: { reason: "no result yet", at: now.wallMs },
  };
}

/** The state after `result` came. Pure. */
export function reduceCheck(
  state: CheckState,
  result: CheckResult,
  now: Moment,
  options: ResolvedCheckOptions,
): CheckState {
  const seen = { ...state, lastStatus: result.status };
  switch (result.status) {
    case "pass":
      return decide(
        {
          ...seen,
          hasPassed: true,
          passes: state.passes + 1,
          failures: 0,
          unknowns: 0,
          window: [...state.window, false].slice(-options.windowSize),
        },
        options,
      );
    case "fail": {
      const problem = { reason: result.reason, at: now.wallMs };
      if (inStartPeriod(state, now)) return { ...seen, problem };
      return decide(
        {
          ...seen,
          problem,
          passes: 0,
          failures: state.failures + 1,
          unknowns: 0,
          window: [...state.window, true].slice(-options.windowSize),
        },
        options,
      );
    }
    case "unknown": {
      const problem = { reason: result.reason, at: now.wallMs };
      if (inStartPeriod(state, now)) return { ...seen, problem };
      return { ...seen, problem, passes: 0, unknowns: state.unknowns + 1 };
    }
  }
}

function inStartPeriod(state: CheckState, now: Moment): boolean {
  return !state.hasPassed && now.monotonicMs < state.startPeriodEndsMs;
}

function decide(state: CheckState, options: ResolvedCheckOptions): CheckState {
  if (state.failures >= options.failureThreshold || isWindowBad(state, options)) {
    return { ...state, decision: "failing" };
  }
  if (state.passes >= options.successThreshold) return { ...state, decision: "passing" };
  return state;
}

/** A full window of which too much failed. It also keeps a flapping check from recovering. */
function isWindowBad(
  { window }: CheckState,
  { windowSize, windowFailed }: ResolvedCheckOptions,
): boolean {
  return window.length >= windowSize && countFailed(window) / window.length >= windowFailed;
}

function countFailed(window: readonly boolean[]): number {
  return window.filter((failed) => failed).length;
}

/** What a check's results amount to. */
export function statusOf({ state, options }: Omit<JudgedCheck, "name">): CheckStatus {
  return state.unknowns >= options.failureThreshold ? "unknown" : state.decision;
}

/** The verdict of a target from the checks that count, worst first. None: nothing speaks against it. */
export function judge(checks: readonly JudgedCheck[]): Judgement {
  for (const [status, verdict] of [
    ["failing", "unhealthy"],
    ["unknown", "unknown"],
    ["starting", "starting"],
  ] as const) {
    const check = checks.find((candidate) => statusOf(candidate) === status);
    if (check) return { verdict, cause: causeOf(check) };
  }
  const wavering = checks.find(({ state }) => state.lastStatus !== "pass");
  if (wavering) return { verdict: "degraded", cause: causeOf(wavering) };
  return { verdict: "healthy", cause: undefined };
}

function causeOf({ name, state, options }: JudgedCheck): Cause {
  const byWindow =
    state.decision === "failing" &&
    state.failures < options.failureThreshold &&
    isWindowBad(state, options);
  const { reason, at } = state.problem;
  return {
    check: name,
    reason: byWindow
      ? `${reason} (${countFailed(state.window)} of the last ${state.window.length} failed)`
      : reason,
    consecutiveFailures:
      state.unknowns >= options.failureThreshold ? state.unknowns : state.failures,
    of: options.failureThreshold,
    at,
  };
}
