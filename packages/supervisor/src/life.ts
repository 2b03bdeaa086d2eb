import { mkdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { toError } from "@roboticks/core";
import { Bell } from "./bell.ts";
import type { Context } from "./context.ts";
import { SupervisorError } from "./errors.ts";
import { openLog, tail } from "./log.ts";
import { readNotes, revoke, startedAt, upMs } from "./notes.ts";
import { alive, type ProcessId } from "./processes/table.ts";
import type { Root } from "./tree.ts";
import {
  claimed,
  type LifeEnd,
  lifeEnd,
  startWaitMs,
  Wrapper,
  watchAdopted,
  watchFolder,
  watchOwn,
} from "./watch-life.ts";
import { spawnWrapper, type WrapperOptions } from "./wrapper.ts";

/** What a life is begun with. */
export interface LifeOptions extends Omit<WrapperOptions, "log" | "setsid"> {
  readonly logPath: string;
}

/**
 * One process of a program, from its start to its end:
 *
 *     (folder made) ──▶ wrapper ──claims──▶ started ──▶ ended
 *            └───────────revoked─▶ never to be
 *
 * Either this supervisor began it and is the parent of its wrapper, or it was found on disk.
 */
export class Life {
  readonly folder: string;
  readonly process: ProcessId;
  /** Wall time in ms. */
  readonly startedAt: number;
  /** Whether its end is learned in the moment that it happens. */
  readonly own: boolean;
  /** Rejects with the reason of `closed` when the supervisor is disposed first. */
  readonly ended: Promise<LifeEnd>;
  /** Where its end was before anyone looked. */
  readonly past: LifeEnd | undefined;
  readonly root: Root;

  private constructor(
    folder: string,
    process: ProcessId,
    options: {
      readonly startedAt: number;
      readonly own: boolean;
      readonly ended: Promise<LifeEnd>;
      readonly past?: LifeEnd;
      readonly endedUnwatchedAtMs?: number | "unknown";
    },
  ) {
    const { endedUnwatchedAtMs } = options;
    this.folder = folder;
    this.process = process;
    this.startedAt = options.startedAt;
    this.own = options.own;
    this.ended = options.ended;
    this.past = options.past;
    this.root = endedUnwatchedAtMs === undefined ? { process } : { process, endedUnwatchedAtMs };
    this.ended.catch(() => {}); // whoever awaits it hears of it; nobody has to
  }

  /**
   * Starts a program; resolves when its process exists, just before it executes the program.
   *
   * @throws {SupervisorError} `ERR_SUPERVISOR_SPAWN_FAILED`; then nothing runs, nor will later
   */
  static async begin(context: Context, options: LifeOptions): Promise<Life> {
    const { clock, logger } = context;
    const { life: folder, logPath } = options;
    await mkdir(folder, { mode: 0o700 });
    logger.debug({ folder }, "made the folder of a life");
    await using log = await openLog(logPath).catch((error: unknown) => {
      // A full or read-only disk is no reason to leave the robot without its software.
      logger.warn({ logPath, error }, "cannot open the log; the output of this life is lost");
      return undefined;
    });
    const bell = new Bell();
    const child = spawnWrapper({ ...options, setsid: context.setsid, log: log?.fd ?? "ignore" });
    const wrapper = new Wrapper(child, bell);
    logger.debug({ folder }, "spawned a wrapper");
    const watcher = watchFolder(folder, bell);
    try {
      const process = await claimed(folder, wrapper, bell, context);
      const since = clock.monotonic();
      logger.debug({ folder, pid: process.pid }, "a program was started");
      return new Life(folder, process, {
        startedAt: clock.now(),
        own: true,
        ended: watchOwn(folder, process, wrapper, bell, since, context),
      });
    } catch (error) {
      wrapper.release();
      const lines = (await tail(logPath, 3)).map((line) => `; ${line}`).join("");
      throw new SupervisorError(
        "ERR_SUPERVISOR_SPAWN_FAILED",
        `the program was not started: ${toError(error).message}${lines}`,
        { cause: error },
      );
    } finally {
      watcher.close();
    }
  }

  /**
   * A life that was found on disk; whether it goes on or has ended is looked up. `undefined`
   * for one that never came to be, and never will.
   */
  static async find(context: Context, folder: string): Promise<Life | undefined> {
    let notes = await readNotes(folder);
    if (!notes.started && (await revoke(folder))) return undefined;
    notes = await readNotes(folder);
    const { started, ended } = notes;
    if (!started) return undefined; // it was refused before it could begin
    const shared = { startedAt: await startedAt(folder), own: false };
    if (await alive(context.table, started)) {
      const watched = watchAdopted(folder, started, shared.startedAt, context);
      return new Life(folder, started, { ...shared, ended: watched });
    }
    const past = lifeEnd(notes, upMs(notes));
    return new Life(folder, started, {
      ...shared,
      ended: Promise.resolve(past),
      past,
      endedUnwatchedAtMs: ended?.atMs ?? "unknown",
    });
  }

  /**
   * Waits until the process executes the program (it is a shell before).
   *
   * @throws {SupervisorError} `ERR_SUPERVISOR_SPAWN_FAILED` when the system refuses to
   */
  async executed({ table, clock, closed }: Context, logPath: string): Promise<void> {
    const end = clock.monotonic() + startWaitMs;
    for (;;) {
      const command = await table.command(this.process.pid);
      if (!(await alive(table, this.process))) break;
      // Until then its command line names the folder of this life, which no program knows. That
      // of a process which is about to end is empty.
      if (command !== "" && !command.includes(this.folder)) return;
      if (clock.monotonic() >= end) return;
      await clock.sleep(1, { signal: closed });
    }
    if (!(await this.ended).refused) return;
    const lines = await tail(logPath, 3);
    throw new SupervisorError(
      "ERR_SUPERVISOR_SPAWN_FAILED",
      `the system refused to execute the program (wrong architecture, or a missing interpreter or loader): ${lines.join("; ")}`,
    );
  }
}

/** The folders of a run's lives, oldest first. */
export function lifeFolders(lives: string, names: readonly string[]): readonly string[] {
  return names
    .filter((name) => /^\d+-/.test(name))
    .sort((a, b) => lifeNumber(a) - lifeNumber(b))
    .map((name) => join(lives, name));
}

/** Which life of its run it is, from 1 on. */
export function lifeNumber(folder: string): number {
  return Number.parseInt(basename(folder), 10);
}
