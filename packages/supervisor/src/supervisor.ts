import { access, constants, mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import {
  type Clock,
  Events,
  type Listener,
  type Logger,
  silentLogger,
  systemClock,
  toError,
  untilAborted,
} from "@roboticks/core";
import type { Context, SupervisorEvents } from "./context.ts";
import { SupervisorError } from "./errors.ts";
import type { Exit } from "./exit.ts";
import { logSize } from "./log.ts";
import { checkName, folderName, nameOfFolder } from "./name.ts";
import { linuxProcesses } from "./processes/linux.ts";
import { psProcesses } from "./processes/ps.ts";
import { checkProgram, findExecutable, type Program } from "./program.ts";
import { readRecord, recordInPlaceOfDamaged, runPaths } from "./record.ts";
import { type CrashLoop, type RestartBackoff, restartPolicy } from "./restart-policy.ts";
import type { Run } from "./run.ts";
import { findSetsid } from "./setsid.ts";
import { SupervisedRun } from "./supervised-run.ts";

/** Options of {@link ProcessSupervisor.open}. */
export interface ProcessSupervisorOptions {
  /**
   * Its folder, made where missing: records of what runs. May be on tmpfs, as no process
   * outlives a boot. One supervisor at a time: its owner takes care.
   */
  readonly root: string;
  /** Folder of the logs. Default `logs` in `root`. */
  readonly logs?: string;
  /** How the pauses between restarts grow. */
  readonly restartBackoff?: RestartBackoff;
  /** What counts as a crash loop. */
  readonly crashLoop?: CrashLoop;
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: silent. */
  readonly logger?: Logger;
}

interface Waiting {
  /** Ends the waiting, which then rejects with its reason; what was begun goes on. */
  readonly signal?: AbortSignal;
}

/**
 * Starts programs as processes that outlive it, keeps them running, and stops them with all
 * their descendants. Whoever opens the same root next, also after a `kill -9`, takes up what
 * runs.
 */
export class ProcessSupervisor implements AsyncDisposable {
  readonly #context: Context;
  readonly #root: string;
  readonly #logs: string;
  readonly #closing: AbortController;
  readonly #runs = new Map<string, SupervisedRun>();
  /** The last thing that was asked for each name; one after the other. */
  readonly #queues = new Map<string, Promise<unknown>>();
  #resumed: Promise<void> = Promise.resolve();

  private constructor(
    context: Context,
    { root, logs, closing }: { root: string; logs: string; closing: AbortController },
  ) {
    this.#context = context;
    this.#root = root;
    this.#logs = logs;
    this.#closing = closing;
  }

  /**
   * Opens a root and takes up what an earlier supervisor left there: what still runs is
   * adopted; what ended meanwhile is restarted or reported as its settings say; a start that
   * was under way is either adopted, or has not happened and will not.
   *
   * What that brings (`adopted`, `exited`, …) is told just after, to listeners added at once.
   *
   * @throws {SupervisorError} `ERR_SUPERVISOR_ROOT_UNUSABLE`, `ERR_SUPERVISOR_UNSUPPORTED`
   */
  static async open({
    root,
    logs = join(root, "logs"),
    restartBackoff,
    crashLoop,
    clock = systemClock,
    logger = silentLogger,
  }: ProcessSupervisorOptions): Promise<ProcessSupervisor> {
    const isLinux = process.platform === "linux";
    const table = isLinux ? linuxProcesses : psProcesses;
    const closing = new AbortController();
    const context: Context = {
      clock,
      logger,
      events: new Events({ logger }),
      table,
      setsid: await findSetsid(isLinux),
      policy: restartPolicy(restartBackoff, crashLoop),
      boot: await table.bootId(),
      closed: closing.signal,
    };
    const supervisor = new ProcessSupervisor(context, { root, logs, closing });
    try {
      await supervisor.#takeUp();
    } catch (cause) {
      closing.abort(closed());
      throw new SupervisorError(
        "ERR_SUPERVISOR_ROOT_UNUSABLE",
        `the folder ${root} cannot be used: ${toError(cause).message}; check its path, its owner and the disk`,
        { cause },
      );
    }
    return supervisor;
  }

  /**
   * Starts a program under a name; resolves once its process runs it. The same name with the
   * same tag, running already (or about to be restarted), is that run, left as it is.
   *
   * @param name letters, digits, `.`, `_`, `-`, in parts joined by `/`; at most 128 characters
   * @throws {SupervisorError} `ERR_SUPERVISOR_INVALID_NAME`, `ERR_SUPERVISOR_INVALID_PROGRAM`,
   * `ERR_SUPERVISOR_ALREADY_RUNNING` (with another tag), `ERR_SUPERVISOR_SPAWN_FAILED`,
   * `ERR_SUPERVISOR_CLOSED`
   */
  async start(name: string, program: Program, { signal }: Waiting = {}): Promise<Run> {
    checkName(name);
    const checked = checkProgram(program);
    return this.#inTurn(name, signal, async () => {
      const existing = this.#runs.get(name);
      if (existing && !existing.stopping && existing.status().state !== "ended") {
        if (existing.tag === checked.tag) return existing;
        throw new SupervisorError(
          "ERR_SUPERVISOR_ALREADY_RUNNING",
          `"${name}" already runs as ${JSON.stringify(existing.tag)} and cannot be started as ${JSON.stringify(checked.tag)}; stop it first`,
        );
      }
      const executable = await findExecutable(checked);
      // What is left of an ended run, or of a stop that was never finished, is cleared away.
      if (existing) await this.#end(existing);
      const { environment, command: _, ...rest } = checked;
      const record = {
        ...rest,
        format: 1,
        name,
        boot: this.#context.boot,
        intent: "run",
        executable,
        logFrom: await logSize(this.#logOf(name)),
      } as const;
      const run = this.#run(record);
      try {
        await run.begin(environment);
      } catch (cause) {
        if (cause instanceof SupervisorError) throw cause;
        throw new SupervisorError(
          "ERR_SUPERVISOR_SPAWN_FAILED",
          `the program was not started: ${toError(cause).message}`,
          { cause },
        );
      }
      this.#runs.set(name, run);
      return run;
    });
  }

  /**
   * Ends a run: its stop signal, its grace, then SIGKILL; also a restart to come. When it
   * resolves the whole tree is gone and the name is free. Safe for names that nobody knows.
   *
   * @returns how the program ended; `undefined` when there was no such run
   * @throws {SupervisorError} `ERR_SUPERVISOR_STOP_FAILED` (it may be called again),
   * `ERR_SUPERVISOR_INVALID_NAME`, `ERR_SUPERVISOR_CLOSED`
   */
  async stop(name: string, { signal }: Waiting = {}): Promise<Exit | undefined> {
    checkName(name);
    return this.#inTurn(name, signal, async () => {
      const run = this.#runs.get(name);
      return run && this.#end(run);
    });
  }

  /** The run of that name, also one that has ended, until it is stopped or started again. */
  get(name: string): Run | undefined {
    return this.#runs.get(name);
  }

  /** All runs that {@link get} knows. */
  list(): Run[] {
    return [...this.#runs.values()];
  }

  /** Calls `listener` at every `name` from now on, until the returned handle is disposed. */
  on<Name extends keyof SupervisorEvents>(
    name: Name,
    listener: Listener<SupervisorEvents[Name]>,
  ): Disposable {
    return this.#context.events.on(name, listener);
  }

  /** Ends the watching. What runs goes on; a start that is under way is completed first. */
  async [Symbol.asyncDispose](): Promise<void> {
    const reason = closed();
    this.#closing.abort(reason);
    await this.#resumed;
    await Promise.allSettled(this.#queues.values());
    for (const run of this.#runs.values()) {
      await run.settled();
      run.detach(reason);
    }
  }

  async #takeUp(): Promise<void> {
    const { boot, logger } = this.#context;
    const runs = join(this.#root, "runs");
    await mkdir(runs, { recursive: true, mode: 0o700 });
    await access(runs, constants.W_OK);
    for (const folder of await readdir(runs)) {
      const paths = runPaths(join(runs, folder));
      const name = nameOfFolder(folder);
      if (name === undefined) continue; // not ours
      const found = await readRecord(paths);
      if (found === "damaged") logger.error({ folder }, "the record of a run makes no sense");
      const record = found === "damaged" ? recordInPlaceOfDamaged(name, boot) : found;
      if (record?.boot === boot) {
        const run = this.#run(record);
        if (await run.adopt()) {
          this.#runs.set(run.name, run);
          continue;
        }
      }
      logger.debug({ folder }, "dropped the record of a run that is no more");
      await rm(paths.folder, { recursive: true, force: true });
    }
    this.#resumed = new Promise((resolve) => {
      // In a turn of its own: after whoever opened us has added listeners.
      setImmediate(() => {
        if (!this.#closing.signal.aborted) for (const run of this.#runs.values()) run.resume();
        resolve();
      });
    });
  }

  #run(record: ConstructorParameters<typeof SupervisedRun>[3]): SupervisedRun {
    const { name } = record;
    const paths = runPaths(join(this.#root, "runs", folderName(name)));
    return new SupervisedRun(this.#context, paths, this.#logOf(name), record);
  }

  #logOf(name: string): string {
    return join(this.#logs, folderName(name), "current.log");
  }

  async #end(run: SupervisedRun): Promise<Exit | undefined> {
    const exit = await run.stop();
    this.#runs.delete(run.name);
    return exit;
  }

  /** Does `work` when all that was asked for `name` before is done. */
  #inTurn<Result>(
    name: string,
    signal: AbortSignal | undefined,
    work: () => Promise<Result>,
  ): Promise<Result> {
    const before = this.#queues.get(name) ?? this.#resumed;
    const done = (async () => {
      await before.catch(() => {}); // told to whoever asked for it
      this.#closing.signal.throwIfAborted();
      signal?.throwIfAborted();
      return work();
    })();
    this.#queues.set(name, done);
    const forget = (): void => {
      if (this.#queues.get(name) === done) this.#queues.delete(name);
    };
    done.then(forget, forget);
    return untilAborted(done, signal);
  }
}

function closed(): SupervisorError {
  return new SupervisorError(
    "ERR_SUPERVISOR_CLOSED",
    "the supervisor was disposed, and programs that it started go on; open the root again to take them up",
  );
}
