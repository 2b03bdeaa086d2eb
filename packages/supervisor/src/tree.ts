import { type Clock, formatDuration } from "@roboticks/core";
import { SupervisorError } from "./errors.ts";
import { startMs } from "./processes/linux.ts";
import type { ProcessEntry, ProcessId, ProcessTable } from "./processes/table.ts";

/** The program at the root of a tree, and what is known of its end. */
export interface Root {
  readonly process: ProcessId;
  /**
   * When it ended, in ms since boot, if that was while nobody watched. Its session may outlive
   * it, but its number may also have been given to someone else since: only a session with a
   * member that is older than this end is still the old one.
   */
  readonly endedUnwatchedAtMs?: number | "unknown";
}

/**
 * The living processes of a tree: the root, all of its session and its process group, all who
 * descend from one of these, and those `known` from earlier looks, wherever they went.
 */
export function membersOf(
  all: readonly ProcessEntry[],
  root: Root,
  known: readonly ProcessId[] = [],
): readonly ProcessEntry[] {
  const members = new Map<number, ProcessEntry>();
  const take = (entry: ProcessEntry): void => {
    // Whoever runs this may itself be somebody's descendant; it does not end itself.
    if (entry.pid !== process.pid && entry.pid !== 1) members.set(entry.pid, entry);
  };
  if (isNumberOurs(all, root))
    all.filter((entry) => belongsTo(entry, root.process.pid)).forEach(take);
  const starts = new Map(known.map(({ pid, start }) => [pid, start]));
  all.filter(({ pid, start }) => starts.get(pid) === start).forEach(take);
  // A map that grows while it is walked is walked to its new end.
  for (const pid of members.keys()) {
    all.filter((entry) => !members.has(entry.pid) && belongsTo(entry, pid)).forEach(take);
  }
  return [...members.values()].filter((entry) => !entry.zombie);
}

function belongsTo(entry: ProcessEntry, pid: number): boolean {
  return [entry.pid, entry.parent, entry.group, entry.session].includes(pid);
}

function isNumberOurs(
  all: readonly ProcessEntry[],
  { process, endedUnwatchedAtMs }: Root,
): boolean {
  const holder = all.find(({ pid }) => pid === process.pid);
  if (holder) return holder.start === process.start;
  if (endedUnwatchedAtMs === undefined) return true;
  if (endedUnwatchedAtMs === "unknown") return false;
  return all.some(({ session, start }) => {
    return session === process.pid && (startMs(start) ?? Infinity) <= endedUnwatchedAtMs;
  });
}

/** How a tree is ended. */
export interface EndTreeOptions {
  readonly table: ProcessTable;
  readonly clock: Clock;
  /** Ends the waiting. */
  readonly signal: AbortSignal;
  /** What is sent first, and how long the tree then has. Default: it is killed at once. */
  readonly gently?: {
    readonly signal: NodeJS.Signals;
    readonly graceMs: number;
    /** Resolves when the program itself has ended. */
    readonly ended: Promise<unknown>;
  };
}

/** A process that does not go away within this time after SIGKILL is stuck in the kernel, in ms. */
const killWaitMs = 10_000;

/**
 * Ends every process of a tree; none is left when it resolves.
 *
 * @throws {SupervisorError} `ERR_SUPERVISOR_STOP_FAILED` when one outlives SIGKILL by 10 s
 */
export async function endTree(root: Root, options: EndTreeOptions): Promise<void> {
  const { table, clock, signal, gently } = options;
  let known: readonly ProcessEntry[] = membersOf(await table.all(), root);
  const look = async (): Promise<readonly ProcessEntry[]> => {
    known = membersOf(await table.all(), root, known);
    return known;
  };
  if (gently && known.length > 0) {
    sendToTree(known, root, gently.signal);
    const end = clock.monotonic() + gently.graceMs;
    await endOrSleep(gently.ended, gently.graceMs, clock, signal);
    await untilNone(look, end, clock, signal);
  }
  const end = clock.monotonic() + killWaitMs;
  const left = await untilNone(
    async () => {
      const members = await look();
      for (const { pid } of members) send(pid, "SIGKILL");
      return members;
    },
    end,
    clock,
    signal,
  );
  if (left.length === 0) return;
  throw new SupervisorError(
    "ERR_SUPERVISOR_STOP_FAILED",
    `process ${left.map(({ pid }) => pid).join(", ")} is still there ${formatDuration(killWaitMs)} after SIGKILL: it hangs in the kernel (often a device or a network file system), or belongs to another user; stop it again later, and if it stays, only a reboot helps`,
  );
}

async function untilNone(
  look: () => Promise<readonly ProcessEntry[]>,
  endMs: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<readonly ProcessEntry[]> {
  for (let pauseMs = 2; ; pauseMs = Math.min(100, pauseMs * 1.5)) {
    const members = await look();
    const leftMs = endMs - clock.monotonic();
    if (members.length === 0 || leftMs <= 0) return members;
    await clock.sleep(Math.min(pauseMs, leftMs), { signal });
  }
}

async function endOrSleep(
  ended: Promise<unknown>,
  ms: number,
  clock: Clock,
  signal: AbortSignal,
): Promise<void> {
  const awake = new AbortController();
  try {
    await Promise.race([
      ended,
      clock.sleep(ms, { signal: AbortSignal.any([signal, awake.signal]) }),
    ]);
  } finally {
    awake.abort();
  }
}

/** To the group at once, so that no child born meanwhile is missed; to all others singly. */
function sendToTree(
  members: readonly ProcessEntry[],
  { process }: Root,
  name: NodeJS.Signals,
): void {
  const leads = members.some(({ pid, group }) => pid === process.pid && group === pid);
  if (leads) send(-process.pid, name);
  for (const { pid, group } of members) {
    // Two signals of one kind mean "hurry" to many programs: nobody gets it twice.
    if (!leads || group !== process.pid) send(pid, name);
  }
}

/** Kills the process group that `leader` led. Only for when it has ended this very moment. */
export function killGroup(leader: ProcessId): void {
  send(-leader.pid, "SIGKILL");
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone meanwhile, or another user's: the next look at the tree tells.
  }
}
