import { type Observed, type ObserveOptions, observe } from "./observe.ts";
import { inRange } from "./options.ts";
import { Streak } from "./streak.ts";
import { type Cause, judge } from "./verdict.ts";

/** Options of `Target.failed`. */
export interface FailedOptions extends ObserveOptions {
  /** For so long without a break they have to be failing, in ms; counted from the call at the earliest. */
  readonly lastingMs: number;
}

/**
 * Waits until the checks of `target` that count have been failing for long enough.
 *
 * @throws `signal.reason`, or that of `target.closed`, once it is aborted
 * @throws {HealthError} `ERR_HEALTH_INVALID_OPTION` where the time is negative or not finite
 */
export async function failed(
  target: Observed,
  { lastingMs, ...options }: FailedOptions,
): Promise<Cause> {
  const owner = `failed of ${target.name}`;
  inRange(owner, "lastingMs", lastingMs, (ms) => ms >= 0, "a number of ms, at least 0");

  const checks = target.checks.filter(({ name }) => !options.ignore?.includes(name));
  const outcome = Promise.withResolvers<Cause>();
  const streak = new Streak({
    clock: target.clock,
    lastingMs,
    onLasted: () => {
      const { verdict, cause } = judge(checks);
      if (verdict === "unhealthy") outcome.resolve(cause);
    },
  });
  // Judged anew, not by the target's verdict: a check that is ignored would hide another one.
  const evaluate = (): void => {
    if (judge(checks).verdict === "unhealthy") streak.begin();
    else streak.break();
  };

  try {
    evaluate();
    return await observe(target, options, outcome, evaluate);
  } finally {
    streak.break();
  }
}
