import type { CheckRecord } from "./check.ts";

/** How many results of a check are kept. */
const capacity = 100;

/** Percentiles in ms. */
export interface LatencyMs {
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

/** Figures over the kept results: the last 100 of each check. */
export interface CheckStatistics {
  /** How many results these figures stand on. */
  readonly results: number;
  /** Passes as a part of passes and failures; `undefined` where there was neither. */
  readonly availability: number | undefined;
  /** Of the passes; `undefined` where there was none. */
  readonly latencyMs: LatencyMs | undefined;
  /** How often a failure followed upon a pass. */
  readonly flaps: number;
}

/** How many results there have been since the target is watched. */
export interface CheckCounters {
  readonly pass: number;
  readonly fail: number;
  readonly unknown: number;
}

/** The last results of one check. */
export class History {
  readonly #records: CheckRecord[] = [];
  readonly #counters = { pass: 0, fail: 0, unknown: 0 };

  add(record: CheckRecord): void {
    this.#counters[record.status]++;
    this.#records.push(record);
    if (this.#records.length > capacity) this.#records.shift();
  }

  /** The newest `count`, oldest first. */
  last(count = capacity): CheckRecord[] {
    return count > 0 ? this.#records.slice(-count) : [];
  }

  get counters(): CheckCounters {
    return { ...this.#counters };
  }
}

/** Figures over the histories of one or several checks together. */
export function statisticsOf(histories: readonly (readonly CheckRecord[])[]): CheckStatistics {
  const all = histories.flat();
  const passes = all.filter(({ status }) => status === "pass");
  const failures = all.filter(({ status }) => status === "fail").length;
  const told = passes.length + failures;
  return {
    results: all.length,
    availability: told > 0 ? passes.length / told : undefined,
    latencyMs: percentiles(passes.map(({ latencyMs }) => latencyMs)),
    flaps: histories.reduce((sum, records) => sum + countFlaps(records), 0),
  };
}

function countFlaps(records: readonly CheckRecord[]): number {
  const told = records.filter(({ status }) => status !== "unknown");
  return told.filter(({ status }, at) => status === "fail" && told[at - 1]?.status === "pass")
    .length;
}

/** By nearest rank: each is a latency that was measured. */
function percentiles(latencies: readonly number[]): LatencyMs | undefined {
  const sorted = latencies.toSorted((a, b) => a - b);
  const slowest = sorted.at(-1);
  if (slowest === undefined) return undefined;
  const at = (part: number): number => sorted[Math.ceil(part * sorted.length) - 1] ?? slowest;
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}
