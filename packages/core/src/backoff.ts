import { type Clock, systemClock } from "./clock.ts";

/** How the pauses between attempts grow. */
export interface BackoffOptions {
  /** The first pause, in ms. Default 1,000. */
  readonly initialMs?: number;
  /** What each pause is multiplied with. Default 2. */
  readonly factor?: number;
  /** No pause is longer, in ms. Default 300,000 (5 min). */
  readonly capMs?: number;
  /**
   * Part of a pause that is drawn by chance, 0 to 1. Default 1 ("full jitter"): a fleet that
   * lost its platform in the same second does not come back in the same second.
   */
  readonly jitter?: number;
}

/** Options of {@link backoffMs}, and where chance comes from. */
export interface Backoff extends BackoffOptions {
  /** A number in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
}

/** The pause in ms after the `failures`-th failure in a row (1, 2, …). */
export function backoffMs(
  failures: number,
  {
    initialMs = 1_000,
    factor = 2,
    capMs = 300_000,
    jitter = 1,
    random = Math.random,
  }: Backoff = {},
): number {
  const whole = Math.min(capMs, initialMs * factor ** (failures - 1));
  return whole * (1 - jitter) + whole * jitter * random();
}

/** Options of {@link retry}. */
export interface RetryOptions extends Backoff {
  readonly clock?: Clock;
  /** Ends the waiting and the attempts. */
  readonly signal?: AbortSignal;
  /** How often it is tried at the most. Default: without end. */
  readonly attempts?: number;
  /** Whether `error` may go away by itself. Default: every error may. */
  readonly retryable?: (error: unknown) => boolean;
  /** Told of every failure that is followed by another attempt. */
  readonly onRetry?: (retry: { readonly error: unknown; readonly pauseMs: number }) => void;
}

/**
 * Calls `work` until it succeeds.
 *
 * @throws what `work` threw last, when `attempts` are used up or `retryable` says no
 * @throws `signal.reason` once `signal` is aborted
 */
export async function retry<Result>(
  work: () => Promise<Result>,
  {
    clock = systemClock,
    signal,
    attempts = Number.POSITIVE_INFINITY,
    retryable = () => true,
    onRetry,
    ...backoff
  }: RetryOptions = {},
): Promise<Result> {
  for (let failures = 1; ; failures++) {
    signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      signal?.throwIfAborted();
      if (failures >= attempts || !retryable(error)) throw error;
      const pauseMs = backoffMs(failures, backoff);
      onRetry?.({ error, pauseMs });
      await clock.sleep(pauseMs, { signal });
    }
  }
}
