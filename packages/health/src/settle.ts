import { type Observed, type ObserveOptions, observe } from "./observe.ts";
import { inRange } from "./options.ts";
import { Streak } from "./streak.ts";
import { type Cause, judge, statusOf, type Verdict } from "./verdict.ts";

/** Options of `Target.settle`. */
export interface SettleOptions extends ObserveOptions {
  /** For so long without a break it has to be healthy, in ms; counted from the call at the earliest. */
  readonly healthyForMs: number;
  /** The deadline, in ms from the call, monotonic. */
  readonly withinMs: number;
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

/** Why the timer is stopped. Without a reason, `abort` makes an error with a stack, each time. */
const over = "it has settled";

/** What settling needs beside that. */
export interface Settling extends Observed {
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
  { healthyForMs, withinMs, onProgress, ...options }: SettleOptions,
): Promise<Settled> {
  const { clock } = target;
  const owner = `settle of ${target.name}`;
  inRange(owner, "healthyForMs", healthyForMs, (ms) => ms >= 0, "a number of ms, at least 0");
  inRange(owner, "withinMs", withinMs, (ms) => ms >= 0, "a number of ms, at least 0");

  const startMs = clock.monotonic();
  const checks = target.checks.filter(({ name }) => !options.ignore?.includes(name));
  const ended = new AbortController();
  let lastCause: Cause | undefined;

  const outcome = Promise.withResolvers<Settled>();
  const succeed = (): void =>
    outcome.resolve({ kind: "healthy", verdict: "healthy", cause: undefined });
  const streak = new Streak({ clock, lastingMs: healthyForMs, onLasted: succeed });

  const evaluate = (): void => {
    const { verdict, cause } = judge(checks);
    lastCause = cause ?? lastCause;
    // A pass from before the call says nothing of what happened since.
    const fresh = checks.every(({ lastResultMs }) => lastResultMs >= startMs);
    if (verdict === "unhealthy") {
      outcome.resolve({ kind: "unhealthy", verdict, cause });
    } else if (verdict !== "healthy") {
      streak.break();
    } else if (fresh) {
      streak.begin();
    }
  };

  const decide = (): void => {
    const { verdict, cause } = judge(checks);
    if (streak.lasted) succeed();
    else if (verdict === "unknown") outcome.resolve({ kind: "unknown", verdict, cause });
    else outcome.resolve({ kind: "deadline", verdict, cause: cause ?? lastCause });
  };

  const report = (): void => {
    try {
      onProgress?.({
        ...judge(checks),
        passing: checks.filter((check) => statusOf(check) === "passing").length,
        of: checks.length,
        healthyMs: streak.ms,
        leftMs: Math.max(0, startMs + withinMs - clock.monotonic()),
      });
    } catch (error) {
      target.onListenerError(error);
    }
  };

  try {
    evaluate();
    clock.sleep(withinMs, { signal: ended.signal }).then(decide, () => {}); // settled before it
    return await observe(target, options, outcome, () => {
      evaluate();
      report();
    });
  } finally {
    ended.abort(over);
    streak.break();
  }
}
