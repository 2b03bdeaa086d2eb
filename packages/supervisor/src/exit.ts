import { constants } from "node:os";

/** How a program ended. */
export interface Exit {
  /**
   * Exit status as a shell gives it: a program that a signal ended has 128 + the signal's number
   * (139 for SIGSEGV). `null` where it ended while nobody could see how.
   */
  readonly code: number | null;
  /** The signal that ended it, `null` for none (or unknown, when `code` is `null` too). */
  readonly signal: NodeJS.Signals | null;
  /** How long it had been running, in ms. */
  readonly upMs: number;
  /** The last lines of its output, at most 20. */
  readonly lastLines: readonly string[];
}

const signals = new Map<number, NodeJS.Signals>();
for (const [name, number] of Object.entries(constants.signals)) {
  // Some numbers have two names; the first is the usual one (SIGABRT before SIGIOT).
  if (!signals.has(number)) signals.set(number, name as NodeJS.Signals);
}

/** What a shell's `$?` says. Above 128 it takes a signal for granted: a shell cannot tell. */
export function codeAndSignal(status: number | undefined): Pick<Exit, "code" | "signal"> {
  if (status === undefined) return { code: null, signal: null };
  return { code: status, signal: signals.get(status - 128) ?? null };
}
