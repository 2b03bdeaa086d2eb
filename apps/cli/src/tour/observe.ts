import { CliError } from "../errors.ts";

/** What a workload answers to `GET /`, or why it does not. */
export async function greetingAt(port: number): Promise<string> {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      headers: { connection: "close" },
      signal: AbortSignal.timeout(2_000),
    });
    return (await response.text()).trim();
  } catch {
    return "(no answer)"; // that is the observation
  }
}

/** Whether a process is there; one that has ended and was not waited for is not. */
export async function isAlive(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0);
  } catch {
    return false; // nobody has this id
  }
  const { readFile } = await import("node:fs/promises");
  const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => undefined); // no /proc: a Mac
  return stat === undefined || !/\) [ZX]/.test(stat);
}

/**
 * Compares what was seen with what should have been.
 *
 * @throws {CliError} `ERR_CLI_TOUR` when they differ
 */
export function expectSeen(what: string, seen: unknown, wanted: unknown): void {
  if (seen === wanted) return;
  throw new CliError(
    "ERR_CLI_TOUR",
    `${what} is ${JSON.stringify(seen)}, not ${JSON.stringify(wanted)}`,
  );
}
