import type { Exit } from "./exit.ts";

/** How a run is doing. */
export interface RunStatus {
  /**
   *     running ──exit──▶ restarting ──pause over──▶ running …
   *        └──exit, not to be restarted; or stop──▶ ended
   */
  readonly state: "running" | "restarting" | "ended";
  /** Of the program, while it runs. */
  readonly pid?: number;
  /** Wall time in ms at which the program was last started. */
  readonly startedAt?: number;
  /** How often it was started again, since this supervisor knows it. */
  readonly restarts: number;
  /** It ended too often in too short a time, and has not run for long since. */
  readonly crashLooping: boolean;
  readonly lastExit?: Exit;
}

/** A program that is being kept. */
export interface Run {
  readonly name: string;
  readonly tag: string;
  status(): RunStatus;
  /**
   * How it ended, once the run is over: stopped, or ended and not to be restarted. Rejects with
   * `ERR_SUPERVISOR_CLOSED` when the supervisor is disposed first; the program then goes on.
   */
  readonly exited: Promise<Exit>;
  /** The last lines of the log, of its last 64 kB at most. Default 20. */
  lastLines(count?: number): Promise<readonly string[]>;
}
