import { type Clock, formatDuration, toError } from "@roboticks/core";
import type { Check, CheckResult } from "./check.ts";

/** Histories keep many reasons, and a check may quote anything. */
const longestReason = 1_000;
/** Why a timer is stopped. Without a reason, `abort` makes an error with a stack, in every run. */
const over = "the run is over";

/** What one run found, and how long it took. */
export interface Observation {
  readonly result: CheckResult;
  readonly latencyMs: number;
}

/** Runs one check, bounded in time and never twice at once. */
export class CheckRunner {
  readonly #check: Check;
  readonly #timeoutMs: number;
  readonly #clock: Clock;
  /** When the run that has not ended yet began. */
  #runningSinceMs: number | undefined;

  constructor(check: Check, timeoutMs: number, clock: Clock) {
    this.#check = check;
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
  }

  /** Resolves at the timeout at the latest, whatever the check does; `undefined` once aborted. */
  async run(signal: AbortSignal): Promise<Observation | undefined> {
    const startMs = this.#clock.monotonic();
    if (this.#runningSinceMs !== undefined) {
      const latencyMs = startMs - this.#runningSinceMs;
      const reason = `still running after ${formatDuration(latencyMs)}; it ignored its timeout`;
      return { result: { status: "unknown", reason }, latencyMs };
    }
    const probe = new AbortController();
    const timer = new AbortController();
    const onAbort = (): void => {
      probe.abort(signal.reason);
      timer.abort(over);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      const late = this.#clock.sleep(this.#timeoutMs, { signal: timer.signal }).then(
        () => true,
        () => false, // the check ended first, or the target was disposed
      );
      const result = await Promise.race([this.#attempt(probe.signal, startMs), late]);
      if (signal.aborted) return undefined;
      const latencyMs = this.#clock.monotonic() - startMs;
      if (typeof result !== "boolean") return { result, latencyMs };
      const reason = `timed out after ${formatDuration(this.#timeoutMs)}`;
      probe.abort(new Error(reason));
      return { result: { status: "fail", reason }, latencyMs };
    } finally {
      timer.abort(over);
      signal.removeEventListener("abort", onAbort);
    }
  }

  /** The check's own result; never rejects, and may never end. */
  async #attempt(signal: AbortSignal, startMs: number): Promise<CheckResult> {
    this.#runningSinceMs = startMs;
    try {
      return bounded(await this.#check.run({ signal, clock: this.#clock }));
    } catch (error) {
      // A check that throws is broken itself, which says nothing of what it looks at.
      return bounded({ status: "unknown", reason: `the check threw: ${toError(error).message}` });
    } finally {
      this.#runningSinceMs = undefined;
    }
  }
}

function bounded(result: CheckResult): CheckResult {
  if (result.status === "pass" || result.reason.length <= longestReason) return result;
  return { ...result, reason: `${result.reason.slice(0, longestReason - 1)}…` };
}
