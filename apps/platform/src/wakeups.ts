import type { Clock } from "@roboticks/core";

/**
 * Requests that wait for something new. Nothing is queued: whoever wakes up reads the state
 * again, so a missed or a needless wake-up does no harm.
 */
export class Wakeups {
  readonly #waiting = new Map<string, Set<() => void>>();
  readonly #clock: Clock;
  #closed = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Wakes all who wait for `topic`. */
  wake(topic: string): void {
    for (const wake of this.#waiting.get(topic) ?? []) wake();
  }

  /** Wakes everyone, for good. */
  close(): void {
    this.#closed = true;
    for (const topic of [...this.#waiting.keys()]) this.wake(topic);
  }

  /**
   * Calls `read` until it gives something, now and after every wake-up of `topic`; `undefined`
   * once `waitMs` are over, `signal` is aborted or the platform ends.
   */
  async waitFor<T>(
    topic: string,
    waitMs: number,
    signal: AbortSignal,
    read: () => Promise<T | undefined>,
  ): Promise<T | undefined> {
    const end = this.#clock.monotonic() + waitMs;
    for (;;) {
      // Listens before it reads: what comes in between wakes it at once.
      using turn = this.#listen(topic);
      const found = await read();
      const left = end - this.#clock.monotonic();
      if (found !== undefined || left <= 0 || signal.aborted || this.#closed) return found;
      const over = new AbortController();
      try {
        await Promise.race([
          turn.woken,
          this.#clock.sleep(left, { signal: AbortSignal.any([signal, over.signal]) }),
        ]);
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        over.abort();
      }
    }
  }

  #listen(topic: string): Disposable & { readonly woken: Promise<void> } {
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiting = this.#waiting.get(topic) ?? new Set();
    this.#waiting.set(topic, waiting.add(resolve));
    return {
      woken: promise,
      [Symbol.dispose]: () => {
        waiting.delete(resolve);
        if (waiting.size === 0 && this.#waiting.get(topic) === waiting) this.#waiting.delete(topic);
      },
    };
  }
}
