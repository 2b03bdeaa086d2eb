import type { Clock } from "@roboticks/core";
import { inRange } from "./options.ts";
import { type Cause, type JudgedCheck, judge, statusOf, type Verdict } from "./verdict.ts";

/** Options of `Target.settle`. */
export interface SettleOptions {
  /** For so long without a break it has to be healthy, in ms; counted from the call at the earliest. */
  readonly healthyForMs: number;
  /** The deadline, in ms from the call, monotonic. */
  readonly withinMs: number;
  /** Ends the waiting; the checks go on. */
  readonly signal?: AbortSignal;
  /**
   * Names of checks that are no evidence, such as one that failed before the change that is
   * judged here. Names that the target does not have are no mistake. Default none.
   */
  readonly ignore?: readonly string[];
  /** Told after every result that counts. What it throws is logged and harms nobody. */
  readonly onProgress?: (progress: SettleProgress) => void;
}

/** How far the settling has come. */
export interface SettleProgress {
  readonly verdict: Verdict;
  readonly cause: Cause | undefined;
  /** Checks that are passing … */
  readonly passing: number;
  /** … of so many that count. */
  readonly of: number;
  /** Healthy without a break for so long, in ms. */
  readonly healthyMs: number;
  /** Until the deadline, in ms. */
  readonly leftMs: number;
}

/**
 * How the settling ended:
 *
 * - `healthy`: for long enough
 * - `unhealthy`: a check is failing
 * - `deadline`: neither in time; `cause` is what kept it from being healthy last
 * - `unknown`: at the deadline, because checks could not tell
 */
export type Settled =
  | { readonly kind: "healthy"; readonly verdict: "healthy"; readonly cause: undefined }
  | { readonly kind: "unhealthy"; readonly verdict: "unhealthy"; readonly cause: Cause }
  | { readonly kind: "deadline"; readonly verdict: Verdict; readonly cause: Cause | undefined }
  | { readonly kind: "unknown"; readonly verdict: "unknown"; readonly cause: Cause };

/** What settling needs to see of a target. */
export interface Settling {
  readonly name: string;
  readonly checks: readonly (JudgedCheck & { readonly lastResultMs: number })[];
  readonly clock: Clock;
  /** Aborted, with the error to throw, when the target is disposed. */
  readonly closed: AbortSignal;
  /** Calls `listener` after every result, with the name of its check. */
  onResult(listener: (check: string) => void): Disposable;
  /** Hears what `onProgress` threw. */
  onListenerError(error: unknown): void;
}

/**
 * Waits until `target` has been healthy for long enough, or cannot become so in time.
 *
 * @throws `signal.reason`, or that of `target.closed`, once it is aborted
 * @throws {HealthError} `ERR_HEALTH_INVALID_OPTION` where a time is negative or not finite
 */
export async function settle(
  target: Settling,
  { healthyForMs, withinMs, signal, ignore = [], onProgress }: SettleOptions,
): Promise<Settled> {
  const { clock, closed } = target;
  const owner = `settle of ${target.name}`;
  inRange(owner, "healthyForMs", healthyForMs, (ms) => ms >= 0, "a number of ms, at least 0");
  inRange(owner, "withinMs", withinMs, (ms) => ms >= 0, "a number of ms, at least 0");
  signal?.throwIfAborted();
  closed.throwIfAborted();

  const startMs = clock.monotonic();
  const checks = target.checks.filter(({ name }) => !ignore.includes(name));
  const ended = new AbortController();
  let streak: { readonly sinceMs: number; readonly broken: AbortController } | undefined;
  let lastCause: Cause | undefined;

  const outcome = Promise.withResolvers<Settled>();
  const onAbort = (event: Event): void => outcome.reject((event.target as AbortSignal).reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  closed.addEventListener("abort", onAbort, { once: true });

  const succeed = (): void =>
    outcome.resolve({ kind: "healthy", verdict: "healthy", cause: undefined });

  /** Calls `then` after `ms`, unless `until` is aborted first. */
  const after = (ms: number, until: AbortSignal, then: () => void): void => {
    clock.sleep(ms, { signal: until }).then(then, () => {}); // aborted: nobody waits any more
  };

  const evaluate = (): void => {
    const { verdict, cause } = judge(checks);
    lastCause = cause ?? lastCause;
    // A pass from before the call says nothing of what happened since.
    const fresh = checks.every(({ lastResultMs }) => lastResultMs >= startMs);
    if (verdict === "unhealthy") {
      outcome.resolve({ kind: "unhealthy", verdict, cause });
    } else if (verdict !== "healthy") {
      streak?.broken.abort();
      streak = undefined;
    } else if (fresh && !streak) {
      streak = { sinceMs: clock.monotonic(), broken: new AbortController() };
      after(healthyForMs, streak.broken.signal, succeed);
    }
  };

  const report = (): void => {
    const nowMs = clock.monotonic();
    try {
      onProgress?.({
        ...judge(checks),
        passing: checks.filter((check) => statusOf(check) === "passing").length,
        of: checks.length,
        healthyMs: streak ? nowMs - streak.sinceMs : 0,
        leftMs: Math.max(0, startMs + withinMs - nowMs),
      });
    } catch (error) {
      target.onListenerError(error);
    }
  };

  using _results = target.onResult((name) => {
    if (ignore.includes(name)) return;
    evaluate();
    report();
  });
  try {
    evaluate();
    after(withinMs, ended.signal, () => {
      const { verdict, cause } = judge(checks);
      if (streak && clock.monotonic() - streak.sinceMs >= healthyForMs) succeed();
      else if (verdict === "unknown") outcome.resolve({ kind: "unknown", verdict, cause });
      else outcome.resolve({ kind: "deadline", verdict, cause: cause ?? lastCause });
    });
    return await outcome.promise;
  } finally {
    ended.abort();
    streak?.broken.abort();
    signal?.removeEventListener("abort", onAbort);
    closed.removeEventListener("abort", onAbort);
  }
}
