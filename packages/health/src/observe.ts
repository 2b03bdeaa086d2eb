import { type Clock, untilAborted } from "@roboticks/core";
import type { JudgedCheck } from "./verdict.ts";

/** What counts while a verdict is waited for, and for how long anybody wants to know. */
export interface ObserveOptions {
  /** Ends the waiting; the checks go on. */
  readonly signal?: AbortSignal;
  /**
   * Names of checks that are no evidence, such as one that failed before the change that is
   * judged here. Names that the target does not have are no mistake. Default none.
   */
  readonly ignore?: readonly string[];
}

/** What waiting for a verdict needs to see of a target. */
export interface Observed {
  readonly name: string;
  readonly checks: readonly (JudgedCheck & { readonly lastResultMs: number })[];
  readonly clock: Clock;
  /** Aborted, with the error to throw, when the target is disposed. */
  readonly closed: AbortSignal;
  /** Calls `listener` after every result, with the name of its check. */
  onResult(listener: (check: string) => void): Disposable;
}

/**
 * Waits for `outcome`, which `onResult` settles: it is called after every result that counts.
 *
 * @throws `signal.reason`, or that of `target.closed`, once it is aborted
 */
export async function observe<Outcome>(
  target: Observed,
  { signal, ignore = [] }: ObserveOptions,
  outcome: PromiseWithResolvers<Outcome>,
  onResult: () => void,
): Promise<Outcome> {
  using _results = target.onResult((check) => {
    if (!ignore.includes(check)) onResult();
  });
  try {
    return await untilAborted(untilAborted(outcome.promise, target.closed), signal);
  } finally {
    // Given up, it would never settle, and the listener on the other signal would stay.
    outcome.reject(new Error("nobody waits for it any more"));
  }
}
