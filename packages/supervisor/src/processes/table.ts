/**
 * Which process, for good: numbers are given out again, number and start time together are not
 * (within one boot).
 */
export interface ProcessId {
  readonly pid: number;
  /** When it started, in the words of the system; only good for comparing. */
  readonly start: string;
}

/** What the system says of a process. */
export interface ProcessEntry extends ProcessId {
  readonly parent: number;
  readonly group: number;
  readonly session: number;
  /** It has ended and only waits for its parent to notice; it still answers to signal 0. */
  readonly zombie: boolean;
}

/** The processes of this machine. */
export interface ProcessTable {
  /** Differs from boot to boot. */
  bootId(): Promise<string>;
  find(pid: number): Promise<ProcessEntry | undefined>;
  all(): Promise<readonly ProcessEntry[]>;
  /** The command line of a process, its arguments apart by something; empty when it is gone. */
  command(pid: number): Promise<string>;
}

/** Whether exactly this process is still running. */
export async function alive(table: ProcessTable, { pid, start }: ProcessId): Promise<boolean> {
  const entry = await table.find(pid);
  return entry !== undefined && entry.start === start && !entry.zombie;
}
