/**
 * Time, as everything that waits or measures sees it. A manager never reads the machine's
 * clock itself, so that its tests run in milliseconds and a robot that boots in 1970 is a case
 * like any other.
 */
export interface Clock {
  /** Wall time in milliseconds since 1970. May jump in both directions. */
  now(): number;
  /** Milliseconds since some fixed moment. Never goes back, does not jump with the wall time. */
  monotonic(): number;
  /**
   * Resolves after `ms` milliseconds of monotonic time, never early; any finite value ≥ 0.
   *
   * @throws `signal.reason` once `signal` is aborted
   */
  sleep(ms: number, options?: { readonly signal?: AbortSignal }): Promise<void>;
}

/** The longest delay that a timer of the runtime keeps; a longer one would fire at once. */
const longestTimerMs = 2 ** 31 - 1;

/** The machine's own clock. */
export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  async sleep(ms, { signal } = {}) {
    const end = performance.now() + ms;
    // Timers may fire a fraction early, and cap their delay: what is left is slept again.
    for (let left = ms; left > 0; left = end - performance.now()) {
      await timer(Math.min(Math.ceil(left), longestTimerMs), signal);
    }
    signal?.throwIfAborted();
  },
};

function timer(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = (): void => {
      clearTimeout(handle);
      reject(signal?.reason);
    };
    const handle = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}

/** Why a timer is stopped. Without a reason, `abort` makes an error with a stack, each time. */
const over = "the work ended";

/**
 * Runs `work` with a signal that is aborted after `ms` (with `reason()`), when the caller's
 * `signal` is, or when the work is done; in every case the timer is gone afterwards.
 *
 * Does not race: `work` has to end when its signal says so.
 */
export async function withTimeout<Result>(
  clock: Clock,
  ms: number,
  reason: () => Error,
  work: (signal: AbortSignal) => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  const ended = new AbortController();
  const late = new AbortController();
  clock.sleep(ms, { signal: ended.signal }).then(
    () => late.abort(reason()),
    () => {}, // the work ended first
  );
  try {
    return await work(signal ? AbortSignal.any([signal, late.signal]) : late.signal);
  } finally {
    ended.abort(over);
  }
}
