import type { Clock } from "@roboticks/core";
import type { Check, CheckRecord } from "./check.ts";
import { type CheckCounters, History } from "./history.ts";
import type { ResolvedCheckOptions } from "./options.ts";
import { CheckRunner } from "./runner.ts";
import { Schedule } from "./schedule.ts";
import {
  type CheckState,
  type CheckStatus,
  initialState,
  type JudgedCheck,
  type Moment,
  reduceCheck,
  statusOf,
} from "./verdict.ts";

/** One check of a target, as data that can be written down. */
export interface CheckSnapshot {
  readonly name: string;
  readonly kind: string;
  readonly status: CheckStatus;
  /** In a row, without those of the start period. */
  readonly consecutiveFailures: number;
  readonly counters: CheckCounters;
  /** The last results, oldest first. */
  readonly results: readonly CheckRecord[];
}

/** One check that is run again and again, and what came of it. */
export class WatchedCheck implements JudgedCheck {
  readonly name: string;
  readonly kind: string;
  readonly options: ResolvedCheckOptions;
  readonly history = new History();
  readonly #runner: CheckRunner;
  readonly #clock: Clock;
  readonly #random: () => number;
  #state: CheckState;
  #lastResultMs = Number.NEGATIVE_INFINITY;

  constructor(check: Check, options: ResolvedCheckOptions, clock: Clock, random: () => number) {
    this.name = check.name;
    this.kind = check.kind;
    this.options = options;
    this.#runner = new CheckRunner(check, options.timeoutMs, clock);
    this.#clock = clock;
    this.#random = random;
    this.#state = initialState(this.#now(), options);
  }

  get state(): CheckState {
    return this.#state;
  }

  /** When the last result came, monotonic; -Infinity before the first. */
  get lastResultMs(): number {
    return this.#lastResultMs;
  }

  /** Runs at once and then on the grid, until `signal` is aborted. Never rejects. */
  async watch(signal: AbortSignal, onResult: (record: CheckRecord) => void): Promise<void> {
    const schedule = new Schedule({
      startMs: this.#clock.monotonic(),
      intervalMs: this.options.intervalMs,
      random: this.#random,
    });
    for (;;) {
      const observation = await this.#runner.run(signal);
      if (!observation) return;
      const now = this.#now();
      const { result, latencyMs } = observation;
      const record: CheckRecord = { ...result, at: now.wallMs, latencyMs };
      this.#state = reduceCheck(this.#state, result, now, this.options);
      this.#lastResultMs = now.monotonicMs;
      this.history.add(record);
      onResult(record);
      try {
        await this.#clock.sleep(schedule.next(now.monotonicMs) - now.monotonicMs, { signal });
      } catch {
        return; // the target was disposed
      }
    }
  }

  snapshot(results: number): CheckSnapshot {
    return {
      name: this.name,
      kind: this.kind,
      status: statusOf(this),
      consecutiveFailures: this.#state.failures,
      counters: this.history.counters,
      results: this.history.last(results),
    };
  }

  #now(): Moment {
    return { monotonicMs: this.#clock.monotonic(), wallMs: this.#clock.now() };
  }
}
