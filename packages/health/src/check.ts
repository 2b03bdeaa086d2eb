import type { Clock } from "@roboticks/core";
import type { CheckOptions } from "./options.ts";

/**
 * What one run of a check found. `unknown` is for a check that could not tell (no driver, no
 * file descriptor left): it speaks neither for nor against the target.
 */
export type CheckResult =
  | { readonly status: "pass"; readonly values?: Readonly<Record<string, number>> }
  | { readonly status: "fail"; readonly reason: string }
  | { readonly status: "unknown"; readonly reason: string };

/** What a check is given for one run. */
export interface CheckContext {
  /** Aborted at the check's timeout, and when its target is disposed. */
  readonly signal: AbortSignal;
  /** For whatever the check has to wait for. */
  readonly clock: Clock;
}

/** Something that can be asked again and again whether a target is well. */
export interface Check {
  /** Unique within its target; what causes, statistics and `ignore` call it by. */
  readonly name: string;
  /** What sort of check it is, for people and metrics: `http`, `tcp`, `process`, … */
  readonly kind: string;
  /** Its own settings; they go before those of `watch`. */
  readonly options?: CheckOptions;
  /**
   * Looks once. Has to end when `signal` is aborted; one that does not is left alone, not run
   * a second time beside itself, and counts as `unknown` until it ends. So does a throw.
   */
  run(context: CheckContext): Promise<CheckResult>;
}

/** One finished run, as histories and events show it. */
export type CheckRecord = CheckResult & {
  /** When it ended, wall time in ms since 1970. */
  readonly at: number;
  /** How long it took, in ms. */
  readonly latencyMs: number;
};
