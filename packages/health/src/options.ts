import { HealthError } from "./errors.ts";

/** How often a check runs, and how many results it takes to change its status. */
export interface CheckOptions {
  /** From the start of a run to the start of the next, in ms, at least 1. Default 10,000. */
  readonly intervalMs?: number;
  /** A run that takes longer has failed, in ms, at least 1. Default 3,000. */
  readonly timeoutMs?: number;
  /**
   * For so long from the beginning, in ms, nothing but a pass counts, and the first pass ends
   * it early: a program that still starts is not broken. Default 60,000.
   */
  readonly startPeriodMs?: number;
  /** Passes in a row that make a check passing. Default 1. */
  readonly successThreshold?: number;
  /** Failures in a row that make it failing; unknowns in a row that make it unknown. Default 3. */
  readonly failureThreshold?: number;
  /** How many of the last passes and failures the sliding window holds. Default 10. */
  readonly windowSize?: number;
  /**
   * Part of a full window, above 0 and up to 1, that has to have failed for the check to be
   * failing, in a row or not: what flaps does not get away with it. Default 0.6.
   */
  readonly windowFailed?: number;
}

/** {@link CheckOptions} with every default filled in. */
export type ResolvedCheckOptions = Required<CheckOptions>;

// The figures of Kubernetes probes and Docker's start period, and a window of our own.
const defaults: ResolvedCheckOptions = {
  intervalMs: 10_000,
  timeoutMs: 3_000,
  startPeriodMs: 60_000,
  successThreshold: 1,
  failureThreshold: 3,
  windowSize: 10,
  windowFailed: 0.6,
};

/**
 * A check's settings: its own, else those of its target, else the defaults.
 *
 * @param owner what the error message calls the check
 * @throws {HealthError} `ERR_HEALTH_INVALID_OPTION` where a value is out of range
 */
export function resolveOptions(
  owner: string,
  own: CheckOptions = {},
  shared: CheckOptions = {},
): ResolvedCheckOptions {
  const pick = (key: keyof CheckOptions): number => own[key] ?? shared[key] ?? defaults[key];
  const duration = (key: keyof CheckOptions, least: number): number =>
    inRange(owner, key, pick(key), (value) => value >= least, `a number of ms, at least ${least}`);
  const count = (key: keyof CheckOptions): number =>
    inRange(
      owner,
      key,
      pick(key),
      (value) => Number.isSafeInteger(value) && value >= 1,
      "a whole number, at least 1",
    );
  return {
    intervalMs: duration("intervalMs", 1),
    timeoutMs: duration("timeoutMs", 1),
    startPeriodMs: duration("startPeriodMs", 0),
    successThreshold: count("successThreshold"),
    failureThreshold: count("failureThreshold"),
    windowSize: count("windowSize"),
    windowFailed: inRange(
      owner,
      "windowFailed",
      pick("windowFailed"),
      (value) => value > 0 && value <= 1,
      "a fraction above 0 and up to 1",
    ),
  };
}

/**
 * `value`, if it is finite and `accepts` it.
 *
 * @throws {HealthError} `ERR_HEALTH_INVALID_OPTION` otherwise
 */
export function inRange(
  owner: string,
  option: string,
  value: number,
  accepts: (value: number) => boolean,
  wanted: string,
): number {
  if (Number.isFinite(value) && accepts(value)) return value;
  throw new HealthError(
    "ERR_HEALTH_INVALID_OPTION",
    `${owner}: ${option} is ${value}, but has to be ${wanted}`,
  );
}
