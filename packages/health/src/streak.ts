import type { Clock } from "@roboticks/core";

/** Why its timer is stopped. Without a reason, `abort` makes an error with a stack, each time. */
const over = "the streak is over";

/** Options of {@link Streak}. */
export interface StreakOptions {
  readonly clock: Clock;
  /** For so long without a break, in ms, monotonic. */
  readonly lastingMs: number;
  /** Told when it has gone on for so long. */
  readonly onLasted: () => void;
}

/** Something that counts once it has gone on for a while without a break. */
export class Streak {
  readonly #clock: Clock;
  readonly #lastingMs: number;
  readonly #onLasted: () => void;
  #current: { readonly sinceMs: number; readonly broken: AbortController } | undefined;

  constructor({ clock, lastingMs, onLasted }: StreakOptions) {
    this.#clock = clock;
    this.#lastingMs = lastingMs;
    this.#onLasted = onLasted;
  }

  /** Begins now; nothing happens where it goes on already. */
  begin(): void {
    if (this.#current) return;
    const broken = new AbortController();
    this.#current = { sinceMs: this.#clock.monotonic(), broken };
    this.#clock.sleep(this.#lastingMs, { signal: broken.signal }).then(
      () => {
        if (!broken.signal.aborted) this.#onLasted();
      },
      () => {}, // it was broken first
    );
  }

  /** Ends it; the next one begins anew. */
  break(): void {
    this.#current?.broken.abort(over);
    this.#current = undefined;
  }

  /** For how long it has gone on, in ms; 0 where it does not. */
  get ms(): number {
    return this.#current ? this.#clock.monotonic() - this.#current.sinceMs : 0;
  }

  /** Whether it has gone on for long enough. */
  get lasted(): boolean {
    return this.#current !== undefined && this.ms >= this.#lastingMs;
  }
}
