import type { Clock } from "../clock.ts";

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

/** A clock that stands still until a test moves it. Starts at 2026-01-01T00:00:00Z. */
export class ManualClock implements Clock {
  #monotonicMs = 0;
  #offsetMs: number;
  readonly #sleepers = new Set<Sleeper>();

  constructor({ now = Date.UTC(2026, 0, 1) }: { readonly now?: number } = {}) {
    this.#offsetMs = now;
  }

  now(): number {
    return this.#offsetMs + this.#monotonicMs;
  }

  monotonic(): number {
    return this.#monotonicMs;
  }

  sleep(ms: number, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      if (ms <= 0) return resolve();
      const onAbort = (): void => {
        this.#sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      const sleeper: Sleeper = {
        atMs: this.#monotonicMs + ms,
        wake: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#sleepers.add(sleeper);
    });
  }

  /** How many sleeps are under way. */
  get sleeping(): number {
    return this.#sleepers.size;
  }

  /**
   * Lets `ms` milliseconds pass: sleepers wake in the order of their times, each at its own
   * moment, and what they do then (promises, and further sleeps) happens before the next.
   */
  async advance(ms: number): Promise<void> {
    const end = this.#monotonicMs + ms;
    await settle();
    for (;;) {
      const next = [...this.#sleepers].sort((a, b) => a.atMs - b.atMs)[0];
      if (!next || next.atMs > end) break;
      this.#monotonicMs = Math.max(this.#monotonicMs, next.atMs);
      this.#sleepers.delete(next);
      next.wake();
      await settle();
    }
    this.#monotonicMs = end;
    await settle();
  }

  /**
   * Lets `ms` milliseconds pass in which nobody ran, as when a process is stopped or its machine
   * paused: then all that is due wakes at once.
   */
  async stall(ms: number): Promise<void> {
    this.#monotonicMs += ms;
    await this.advance(0);
  }

  /** Sets the wall time, as NTP or a flat battery would; monotonic time goes on as it was. */
  setWallTime(now: number): void {
    this.#offsetMs = now - this.#monotonicMs;
  }
}

/** Lets everything run that is ready to: promises, and callbacks of finished I/O. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
}
