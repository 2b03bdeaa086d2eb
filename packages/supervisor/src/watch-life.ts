import type { ChildProcess } from "node:child_process";
import { type FSWatcher, watch } from "node:fs";
import { Bell } from "./bell.ts";
import type { Context } from "./context.ts";
import { type Notes, readNotes, revoke, upMs } from "./notes.ts";
import { alive, type ProcessId } from "./processes/table.ts";

/** How one life ended. */
export interface LifeEnd {
  /** As a shell's `$?`; absent when nobody saw it. */
  readonly status?: number;
  readonly upMs: number;
  /** The system would not even execute the program. */
  readonly refused: boolean;
}

/** A wrapper needs a few ms for its note; one that took so long is not waited for, in ms. */
export const startWaitMs = 10_000;
/** How long the wrapper of a program that is gone may take to note how it ended, in ms. */
const noteWaitMs = 2_000;
/** How often it is checked that a program is still there, where no event would tell, in ms. */
const pollMs = 1_000;

/** The shell that waits for a program, as its parent sees it. */
export class Wrapper {
  gone = false;
  status: number | undefined;
  error: Error | undefined;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess, bell: Bell) {
    this.#child = child;
    this.#child.once("error", (error) => this.#end({ error }, bell));
    this.#child.once("exit", (code) => this.#end(code === null ? {} : { status: code }, bell));
  }

  #end({ status, error }: { status?: number; error?: Error }, bell: Bell): void {
    this.gone = true;
    this.status = status;
    this.error = error;
    bell.ring();
  }

  /** No longer keeps this process alive. */
  release(): void {
    this.#child.unref();
  }
}

/** Rings whenever something happens in a folder; on a best effort, so that callers poll too. */
export function watchFolder(folder: string, bell: Bell): FSWatcher | { close(): void } {
  try {
    const watcher = watch(folder, () => bell.ring());
    watcher.on("error", () => watcher.close()); // the folder went away: polling goes on
    return watcher;
  } catch {
    return { close: () => {} }; // no watches left on this machine: polling has to do
  }
}

/**
 * The process of a life that was just begun, once its wrapper has noted it.
 *
 * @throws why there is none; then there will never be one
 */
export async function claimed(
  folder: string,
  wrapper: Wrapper,
  bell: Bell,
  { clock }: Context,
): Promise<ProcessId> {
  const end = clock.monotonic() + startWaitMs;
  for (let pauseMs = 5; ; pauseMs = Math.min(100, pauseMs * 2)) {
    const { started, refused } = await readNotes(folder);
    if (started) return started;
    if (refused) throw new Error("its process could not be set up");
    if (wrapper.gone || clock.monotonic() >= end) {
      if (await revoke(folder)) {
        throw wrapper.error ?? new Error("its wrapper ended, or did not get a turn, before it");
      }
      continue; // the wrapper was faster than we: read its note
    }
    await bell.wait(clock, pauseMs);
  }
}

/** The end of a life whose wrapper is our child. */
export async function watchOwn(
  folder: string,
  process: ProcessId,
  wrapper: Wrapper,
  bell: Bell,
  since: number,
  { clock, table, closed }: Context,
): Promise<LifeEnd> {
  const ring = (): void => bell.ring();
  closed.addEventListener("abort", ring);
  try {
    for (;;) {
      closed.throwIfAborted();
      // The wrapper itself may be what was killed.
      if (wrapper.gone && !(await alive(table, process))) break;
      await bell.wait(clock, pollMs);
    }
    const duration = clock.monotonic() - since;
    const { status } = wrapper;
    // A shell that could not become the program exits by itself, with a status of its own.
    const mayBeRefused = status !== undefined && status > 0 && status <= 128;
    const refused = mayBeRefused && (await readNotes(folder)).refused;
    return lifeEnd({ refused }, duration, status);
  } finally {
    closed.removeEventListener("abort", ring);
    wrapper.release();
  }
}

/** The end of a life that somebody else began: from the notes of its wrapper, if that lives. */
export async function watchAdopted(
  folder: string,
  process: ProcessId,
  startedAtMs: number,
  { clock, table, closed }: Context,
): Promise<LifeEnd> {
  const bell = new Bell();
  const ring = (): void => bell.ring();
  closed.addEventListener("abort", ring);
  const watcher = watchFolder(folder, bell);
  try {
    for (let goneAt: number | undefined; ; ) {
      closed.throwIfAborted();
      const isAlive = await alive(table, process);
      const notes = await readNotes(folder);
      const now = clock.monotonic();
      if (!isAlive) {
        goneAt ??= now;
        // The wrapper reads the status a moment after everyone can see that the program is gone.
        if (notes.ended || now - goneAt >= noteWaitMs) {
          return lifeEnd(notes, upMs(notes) || Math.max(0, clock.now() - startedAtMs));
        }
      }
      await bell.wait(clock, isAlive ? pollMs : 50);
    }
  } finally {
    closed.removeEventListener("abort", ring);
    watcher.close();
  }
}

/** Leaves out a status that nobody knows. */
export function lifeEnd(
  { ended, refused }: Pick<Notes, "ended" | "refused">,
  duration: number,
  status = ended?.status,
): LifeEnd {
  return { ...(status === undefined ? {} : { status }), upMs: duration, refused };
}
