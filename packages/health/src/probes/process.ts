import type { Check, CheckResult } from "../check.ts";
import type { CheckOptions } from "../options.ts";

/** What is known of a process now; the supervisor's `RunStatus` meets it by shape. */
export interface ProcessReading {
  readonly state: "running" | "restarting" | "ended";
  readonly pid?: number;
  readonly restarts: number;
  readonly crashLooping: boolean;
  /** Both null: it ended while nobody could see how. */
  readonly lastExit?: { readonly code: number | null; readonly signal: string | null };
}

/** Options of {@link process}. */
export interface ProcessOptions extends CheckOptions {
  /** Reads the state of the process, for example `() => run.status()`. */
  readonly status: () => ProcessReading | Promise<ProcessReading>;
  /** Default `process`. */
  readonly name?: string;
}

/** Passes while a process runs and does not crash again and again. */
export function process({ status, name = "process", ...options }: ProcessOptions): Check {
  return { name, kind: "process", options, run: async () => resultOf(await status()) };
}

function resultOf(reading: ProcessReading): CheckResult {
  const { state, restarts, crashLooping } = reading;
  const fail = (what: string): CheckResult => ({
    status: "fail",
    reason: `${what}${describeExit(reading)}`,
  });
  if (crashLooping) return fail(`crashes again and again, ${restarts} restarts so far`);
  if (state === "restarting") return fail("is being restarted");
  if (state === "ended") return fail("has ended");
  return { status: "pass", values: { restarts } };
}

function describeExit({ lastExit }: ProcessReading): string {
  if (!lastExit) return "";
  if (lastExit.signal !== null) return `: ended by ${lastExit.signal}`;
  if (lastExit.code !== null) return `: exit code ${lastExit.code}`;
  return ": how it ended was not seen";
}
