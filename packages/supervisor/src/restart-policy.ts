import { backoffMs } from "@roboticks/core";
import type { Exit } from "./exit.ts";

/** Whether a program that ended is started again. */
export type Restart = "always" | "on-failure" | "never";

/** How the pauses between restarts grow. */
export interface RestartBackoff {
  /** The pause before the second restart in a row, in ms; the first is at once. Default 500. */
  readonly initialMs?: number;
  /** What each pause is multiplied with. Default 2. */
  readonly factor?: number;
  /** No pause is longer, in ms; also every pause in a crash loop. Default 30,000. */
  readonly capMs?: number;
  /** A program that ran for so long starts the row anew, in ms. Default 30,000. */
  readonly resetAfterMs?: number;
}

/** What counts as a crash loop. */
export interface CrashLoop {
  /** So many exits … Default 5. */
  readonly exits?: number;
  /** … within so many ms. Default 60,000. */
  readonly windowMs?: number;
}

/** Both, with every default filled in. */
export type RestartPolicy = Required<RestartBackoff> & Required<CrashLoop>;

/** The defaults filled in: backoff as in Pebble, crash loop as systemd's start limit. */
export function restartPolicy(
  { initialMs = 500, factor = 2, capMs = 30_000, resetAfterMs = 30_000 }: RestartBackoff = {},
  { exits = 5, windowMs = 60_000 }: CrashLoop = {},
): RestartPolicy {
  return { initialMs, factor, capMs, resetAfterMs, exits, windowMs };
}

/** What is remembered of earlier exits. */
export interface RestartHistory {
  /** Exits since the program last ran for `resetAfterMs`. */
  readonly row: number;
  /** When these were, on the monotonic clock, no older than the window. */
  readonly exitsMs: readonly number[];
  readonly crashLooping: boolean;
}

/** Of a run that has not ended yet. */
export const noHistory: RestartHistory = { row: 0, exitsMs: [], crashLooping: false };

/** The history with one more exit, and the pause before the restart. */
export function afterExit(
  history: RestartHistory,
  { atMs, upMs }: { readonly atMs: number; readonly upMs: number },
  policy: RestartPolicy,
): { readonly history: RestartHistory; readonly delayMs: number } {
  const before = upMs >= policy.resetAfterMs ? noHistory : history;
  const exitsMs = [...before.exitsMs.filter((ms) => atMs - ms < policy.windowMs), atMs];
  const row = before.row + 1;
  const crashLooping = before.crashLooping || exitsMs.length >= policy.exits;
  const delayMs = crashLooping ? policy.capMs : pauseMs(row, policy);
  // More than `exits` moments are never asked for.
  return { history: { row, exitsMs: exitsMs.slice(-policy.exits), crashLooping }, delayMs };
}

function pauseMs(row: number, { initialMs, factor, capMs }: RestartPolicy): number {
  return row === 1 ? 0 : backoffMs(row - 1, { initialMs, factor, capMs, jitter: 0 });
}

/** Whether a program with this setting is started again. An end that nobody saw is a failure. */
export function restarts(restart: Restart, { code }: Pick<Exit, "code">): boolean {
  return restart === "always" || (restart === "on-failure" && code !== 0);
}
