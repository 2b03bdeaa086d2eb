import type { Clock, Logger } from "@roboticks/core";
import type { Cause, DeploymentStateName } from "@roboticks/spec/report";
import type { Managers } from "./executors.ts";
import type { Event, Installed, State } from "./state.ts";

/** What is said of a deployment beside the change itself. */
export interface Said {
  readonly state: DeploymentStateName;
  readonly about: Installed;
  readonly message?: string;
  readonly cause?: Cause;
}

/** What the phases of a transition work with. */
export interface Context extends Managers {
  readonly clock: Clock;
  readonly logger: Logger;
  /** How often spent time is written down. */
  readonly tickMs: number;
  /** How long a use must be unhealthy on probation before it counts. */
  readonly lastingMs: number;
  /** The state as the journal has it now. */
  state(): State;
  /** Writes an event down, with a report of it. */
  record(event: Event, said?: Said): Promise<void>;
  /** Reports something that changes nothing, in its turn. */
  tell(said: Said): void;
  /** Aborted when a newer deployment was accepted, or the manager is disposed. */
  readonly interrupt: AbortSignal;
  /** Aborted when the manager is disposed. */
  readonly closed: AbortSignal;
}
