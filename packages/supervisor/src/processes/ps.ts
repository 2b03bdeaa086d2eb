import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { ProcessEntry, ProcessTable } from "./table.ts";

const run = promisify(execFile);

// The start time is printed in words: one language and one time zone, or it would not compare.
const env = { PATH: "/bin:/usr/bin:/sbin:/usr/sbin", LC_ALL: "C", TZ: "UTC" };

const columns = "pid=,ppid=,pgid=,state=,lstart=";

/** What one line of `ps -o pid=,ppid=,pgid=,state=,lstart=` says. */
export function parsePsLine(line: string): ProcessEntry | undefined {
  const match = /^\s*(\d+)\s+(\d+)\s+(\d+)\s+(\S+)\s+(\S.*?)\s*$/.exec(line);
  if (!match) return undefined;
  const [, pid, parent, group, state = "", start = ""] = match;
  return {
    pid: Number(pid),
    start: plainStart(start),
    parent: Number(parent),
    group: Number(group),
    // ps of a Mac has no number for the session: there the group is all that can be told.
    session: Number(group),
    zombie: state.startsWith("Z"),
  };
}

/** A start time as a single word, which also fits into a file name. */
export function plainStart(text: string): string {
  return text.trim().replaceAll(/\s+/g, "_");
}

async function list(...args: string[]): Promise<readonly ProcessEntry[]> {
  const { stdout } = await run("ps", [...args, "-o", columns], { env, maxBuffer: 2 ** 26 });
  return stdout
    .split("\n")
    .map(parsePsLine)
    .filter((entry) => entry !== undefined);
}

/** Processes as `ps` lists them, for a developer's machine without `/proc`. */
export const psProcesses: ProcessTable = {
  bootId: async () => (await run("sysctl", ["-n", "kern.boottime"], { env })).stdout.trim(),
  // ps fails when it knows no such process.
  find: async (pid) => (await list("-p", String(pid)).catch(() => []))[0],
  all: () => list("-ax"),
  command: (pid) =>
    run("ps", ["-ww", "-o", "command=", "-p", String(pid)], { env, maxBuffer: 2 ** 26 }).then(
      ({ stdout }) => stdout,
      () => "", // it is gone
    ),
};
