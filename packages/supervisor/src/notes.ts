import { readdir, rmdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { isSystemError } from "@roboticks/core/fs";
import { startMs } from "./processes/linux.ts";
import { plainStart } from "./processes/ps.ts";
import type { ProcessId } from "./processes/table.ts";

/** What the folder of a life says; see wrapper.ts for who writes it. */
export interface Notes {
  /** The process that is the program, or was. Without it the program was never begun. */
  readonly started?: ProcessId;
  readonly ended?: { readonly status: number; readonly atMs?: number };
  /** The system would not execute the program. */
  readonly refused: boolean;
}

/** Reads the notes of a life; none where its folder is gone. */
export async function readNotes(folder: string): Promise<Notes> {
  return parseNotes(await readdir(folder).catch(() => []));
}

/** What file names such as `started.4711.195595` and `ended.139.2031.07` say. */
export function parseNotes(names: readonly string[]): Notes {
  let notes: Notes = { refused: names.includes("refused") };
  for (const name of names) {
    const started = /^started\.(\d+)\.(.+)$/s.exec(name);
    if (started) {
      const [, pid, start = ""] = started;
      notes = { ...notes, started: { pid: Number(pid), start: plainStart(start) } };
    }
    const ended = /^ended\.(\d+)\.(\d+(?:\.\d+)?)?$/.exec(name);
    if (ended) {
      const [, status, seconds] = ended;
      const atMs = seconds === undefined ? {} : { atMs: Number(seconds) * 1_000 };
      notes = { ...notes, ended: { status: Number(status), ...atMs } };
    }
  }
  return notes;
}

/** How long the program ran by its notes, in ms; 0 where they do not say. */
export function upMs({ started, ended }: Notes): number {
  const from = started && startMs(started.start);
  return from === undefined || ended?.atMs === undefined ? 0 : Math.max(0, ended.atMs - from);
}

/** Wall time in ms at which the program was begun, as the file system saw it. */
export async function startedAt(folder: string): Promise<number> {
  const name = (await readdir(folder)).find((entry) => entry.startsWith("started."));
  return name === undefined ? 0 : (await stat(join(folder, name))).mtimeMs;
}

/**
 * Takes back the permission to begin the program: from now on its wrapper cannot. `false` when
 * the wrapper was faster, or has failed already; the notes then say which.
 */
export async function revoke(folder: string): Promise<boolean> {
  try {
    await rmdir(folder);
    return true;
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return true;
    if (isSystemError(error, "ENOTEMPTY", "EEXIST")) return false;
    throw error;
  }
}
