import { readdirSync, readFileSync } from "node:fs";
import type { ProcessEntry, ProcessTable } from "./table.ts";

/** Ticks of `/proc/PID/stat` in a second: fixed in the kernel's interface, whatever its own rate. */
const ticksPerSecond = 100;

/**
 * What `/proc/PID/stat` says. The second field is the name in parentheses and may itself hold
 * spaces and parentheses, so that counting begins after the last one.
 */
export function parseStat(text: string): ProcessEntry | undefined {
  const open = text.indexOf("(");
  const close = text.lastIndexOf(")");
  const pid = Number(text.slice(0, open));
  // Field 3 of the file is the first here.
  const [state, parent, group, session, ...rest] = text.slice(close + 2).split(" ");
  const start = rest[22 - 7];
  if (open < 1 || close < open || !Number.isInteger(pid) || state === undefined || !start) {
    return undefined;
  }
  return {
    pid,
    start,
    parent: Number(parent),
    group: Number(group),
    session: Number(session),
    zombie: state === "Z" || state === "X" || state === "x",
  };
}

// procfs answers from memory: reading it synchronously takes a tenth of the time that a trip
// through the thread pool would.
function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined; // the process is gone
  }
}

function find(pid: number): ProcessEntry | undefined {
  const text = read(`/proc/${pid}/stat`);
  return text === undefined ? undefined : parseStat(text);
}

/** Processes as `/proc` shows them. `start` is in ticks since boot. */
export const linuxProcesses: ProcessTable = {
  bootId: async () => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
  find: async (pid) => find(pid),
  async all() {
    const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    return pids.map((pid) => find(Number(pid))).filter((entry) => entry !== undefined);
  },
  command: async (pid) => read(`/proc/${pid}/cmdline`) ?? "",
};

/** Milliseconds since boot of a `start` of {@link linuxProcesses}; `undefined` of any other. */
export function startMs(start: string): number | undefined {
  return /^\d+$/.test(start) ? (Number(start) * 1_000) / ticksPerSecond : undefined;
}
