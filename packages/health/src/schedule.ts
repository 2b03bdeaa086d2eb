/** Part of an interval by which a run is drawn past its place on the grid, at most. */
const jitter = 0.1;

/**
 * When a check runs next: on a fixed grid of monotonic time, so that slow runs and late timers
 * do not add up; places that were missed are skipped. The grid begins anywhere in the first
 * interval, so that checks that were added together do not run together for ever.
 */
export class Schedule {
  readonly #firstMs: number;
  readonly #intervalMs: number;
  readonly #random: () => number;
  #last = -1;

  constructor({
    startMs,
    intervalMs,
    random,
  }: {
    readonly startMs: number;
    readonly intervalMs: number;
    /** A number in [0, 1). Always 0 gives exactly start + k × interval. */
    readonly random: () => number;
  }) {
    this.#firstMs = startMs + intervalMs * (1 - random());
    this.#intervalMs = intervalMs;
    this.#random = random;
  }

  /** The monotonic time of the next run, after `nowMs`. */
  next(nowMs: number): number {
    const upcoming = Math.floor((nowMs - this.#firstMs) / this.#intervalMs) + 1;
    // Rounding must not name the place again that was just used.
    this.#last = Math.max(upcoming, this.#last + 1);
    return (
      this.#firstMs + this.#last * this.#intervalMs + this.#random() * jitter * this.#intervalMs
    );
  }
}
