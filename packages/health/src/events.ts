import type { CheckRecord } from "./check.ts";
import type { Cause, Verdict } from "./verdict.ts";

/** A target's verdict is another one. */
export interface VerdictChanged {
  readonly type: "verdictChanged";
  readonly target: string;
  readonly from: Verdict;
  readonly to: Verdict;
  /** `undefined` when `to` is `healthy`. */
  readonly cause: Cause | undefined;
  /** Wall time in ms since 1970. */
  readonly at: number;
}

/** A check has run. */
export interface CheckCompleted {
  readonly type: "checkCompleted";
  readonly target: string;
  readonly check: string;
  readonly kind: string;
  readonly record: CheckRecord;
}

/** Everything that a monitor tells, for logs and the wire. */
export type HealthEvent = VerdictChanged | CheckCompleted;

/** The events of a monitor by name. */
export interface HealthEvents {
  readonly verdictChanged: VerdictChanged;
  readonly checkCompleted: CheckCompleted;
}
