import { randomBytes } from "node:crypto";
import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { toError } from "@roboticks/core";
import type { Context } from "./context.ts";
import { codeAndSignal, type Exit } from "./exit.ts";
import { Life, lifeFolders, lifeNumber } from "./life.ts";
import { tail } from "./log.ts";
import type { CheckedProgram } from "./program.ts";
import { type RunPaths, type RunRecord, writeRecord } from "./record.ts";
import { afterExit, noHistory, restarts } from "./restart-policy.ts";
import type { Run, RunStatus } from "./run.ts";
import { endTree, killGroup, type Root } from "./tree.ts";
import type { LifeEnd } from "./watch-life.ts";
import { environmentScript } from "./wrapper.ts";

/** How many lines an {@link Exit} carries. */
const exitLines = 20;

const unseen: Exit = { code: null, signal: null, upMs: 0, lastLines: [] };

/** A run as the supervisor itself handles it: one program, one life after the other. */
export class SupervisedRun implements Run {
  readonly name: string;
  readonly tag: string;
  readonly exited: Promise<Exit>;
  readonly #exited = Promise.withResolvers<Exit>();
  readonly #context: Context;
  readonly #paths: RunPaths;
  readonly #log: string;
  /** Ends a pause before a restart. */
  readonly #stopping = new AbortController();
  #record: RunRecord;
  #life: Life | undefined;
  #lives = 0;
  /** Whose tree may still have members. */
  #root: Root | undefined;
  #isEnding = false;
  #state: RunStatus["state"] = "running";
  #restarts = 0;
  #history = noHistory;
  #lastExit: Exit | undefined;
  /** Monotonic time of the last start. */
  #runningSinceMs = 0;
  #beginning: Promise<unknown> = Promise.resolve();
  #kept: Promise<void> = Promise.resolve();
  #cleaned: Promise<void> = Promise.resolve();

  constructor(context: Context, paths: RunPaths, log: string, record: RunRecord) {
    this.name = record.name;
    this.tag = record.tag;
    this.exited = this.#exited.promise;
    this.exited.catch(() => {}); // whoever awaits it hears of it; nobody has to
    this.#context = context;
    this.#paths = paths;
    this.#log = log;
    this.#record = record;
  }

  /**
   * Starts the program of a new run. The folder of the run is nobody's until then.
   *
   * @throws what kept it from starting; nothing of it is left then
   */
  async begin(environment: CheckedProgram["environment"]): Promise<void> {
    const { folder, lives } = this.#paths;
    try {
      await rm(folder, { recursive: true, force: true });
      await mkdir(lives, { recursive: true, mode: 0o700 });
      await writeFile(this.#paths.environment, environmentScript(environment), { mode: 0o600 });
      await writeRecord(this.#paths, this.#record);
      this.#context.logger.debug({ run: this.name }, "recorded the intent to start a run");
      const life = await this.#beginLife();
      await life.executed(this.#context, this.#log);
      this.#tellStarted(life);
      this.#keepFrom(life);
    } catch (error) {
      // When it is only that the supervisor was disposed, the program goes on.
      if (!this.#context.closed.aborted) await rm(folder, { recursive: true, force: true });
      throw error;
    }
  }

  /** Takes up what the disk says of a run. `false` when there is nothing: it never began. */
  async adopt(): Promise<boolean> {
    const { lives } = this.#paths;
    const folders = lifeFolders(lives, await readdir(lives).catch(() => []));
    let life: Life | undefined;
    for (const folder of folders.toReversed()) {
      life ??= await Life.find(this.#context, folder);
    }
    if (!life) return false;
    this.#life = life;
    this.#root = life.root;
    this.#lives = lifeNumber(life.folder);
    for (const folder of folders) if (folder !== life.folder) await this.#remove(folder);
    if (life.past) {
      // Nobody was ever told of a run whose first start was refused.
      if (life.past.refused && this.#lives === 1) return false;
      this.#lastExit = await this.#exitOf(life.past);
      this.#state = this.#isToRestart(this.#lastExit) ? "restarting" : "ended";
    } else {
      this.#runningSinceMs = this.#context.clock.monotonic();
    }
    return true;
  }

  /** Begins to keep what {@link adopt} took up, and tells of it. */
  resume(): void {
    const life = this.#life;
    if (!life) return;
    if (!life.past) {
      const { pid } = life.process;
      this.#context.events.emit("adopted", { name: this.name, tag: this.tag, pid });
    }
    this.#keepFrom(life);
  }

  /** Whether a stop was begun, by this supervisor or the one before. */
  get stopping(): boolean {
    return this.#record.intent === "stop";
  }

  status(): RunStatus {
    const isRunning = this.#state === "running";
    const life = isRunning ? this.#life : undefined;
    const upMs = this.#context.clock.monotonic() - this.#runningSinceMs;
    const isSteady = isRunning && upMs >= this.#context.policy.resetAfterMs;
    return {
      state: this.#state,
      ...(life ? { pid: life.process.pid } : {}),
      ...(this.#life ? { startedAt: this.#life.startedAt } : {}),
      restarts: this.#restarts,
      crashLooping: this.#history.crashLooping && !isSteady,
      ...(this.#lastExit ? { lastExit: this.#lastExit } : {}),
    };
  }

  lastLines(count = exitLines): Promise<readonly string[]> {
    return tail(this.#log, count, { since: this.#record.logFrom });
  }

  /**
   * Ends the run: its whole tree, a restart to come, its record. May be called again when it
   * failed.
   *
   * @throws {SupervisorError} `ERR_SUPERVISOR_STOP_FAILED`
   */
  async stop(): Promise<Exit | undefined> {
    this.#isEnding = true;
    try {
      return await this.#end();
    } finally {
      this.#isEnding = false;
    }
  }

  async #end(): Promise<Exit | undefined> {
    const { clock, table, closed, logger, events } = this.#context;
    const { stopSignal, stopGraceMs } = this.#record;
    const wasOver = this.#state === "ended";
    this.#record = { ...this.#record, intent: "stop" };
    this.#stopping.abort();
    await writeRecord(this.#paths, this.#record).catch((error: unknown) => {
      // A full disk must not keep anyone from stopping a robot's software.
      logger.warn({ run: this.name, error }, "cannot record that this run is being stopped");
    });
    logger.debug({ run: this.name }, "recorded the intent to stop a run");
    await this.#beginning.catch(() => {}); // a restart that failed left nothing to stop
    if (this.#root && this.#life) {
      const gently = { signal: stopSignal, graceMs: stopGraceMs, ended: this.#life.ended };
      await endTree(this.#root, { table, clock, signal: closed, gently });
    }
    await this.#kept;
    await this.#cleaned;
    closed.throwIfAborted();
    await rm(this.#paths.folder, { recursive: true, force: true });
    this.#over();
    if (!wasOver) {
      events.emit("stopped", { name: this.name, tag: this.tag, exit: this.#lastExit });
    }
    return this.#lastExit;
  }

  /** Those who wait for its end are told that nobody watches any more. */
  detach(reason: Error): void {
    this.#exited.reject(reason);
  }

  /** Resolves once nothing that this run began is still under way. After `closed`. */
  async settled(): Promise<void> {
    await this.#beginning.catch(() => {}); // told to whoever began it
    await this.#kept;
    await this.#cleaned;
  }

  #keepFrom(life: Life): void {
    this.#kept = this.#keep(life).catch((error: unknown) => {
      // Disposed meanwhile: the run goes on without us. Anything else would be a mistake here.
      if (!this.#context.closed.aborted) {
        this.#context.logger.error({ run: this.name, error }, "a run is no longer watched");
        this.#over();
      }
    });
  }

  async #keep(first: Life): Promise<void> {
    for (let life: Life | undefined = first; life; ) {
      const end = await life.ended;
      const exit = life.past && this.#lastExit ? this.#lastExit : await this.#exitOf(end);
      this.#lastExit = exit;
      const isToRestart = this.#isToRestart(exit);
      if (isToRestart) this.#state = "restarting";
      this.#tellExited(exit);
      if (!isToRestart) break;
      life = await this.#restart(exit, life);
    }
    if (this.#isEnding) return; // stop() does what is left
    if (this.#root) await this.#sweep(this.#root);
    this.#over();
  }

  /** The next life; `undefined` when the run was stopped in the pause before it. */
  async #restart(exit: Exit, old: Life): Promise<Life | undefined> {
    const { clock, closed, events, logger, policy } = this.#context;
    // What a dead program left behind may hold the port that the next one needs. Its group goes
    // at once. Who else is left is looked for beside a restart that is due now, as that takes
    // longer than the restart, and before any pause.
    const isFresh = old.own && exit.code !== null;
    if (isFresh) killGroup(old.process);
    let swept: Promise<void> | undefined;
    const sweep = (): Promise<void> => {
      swept ??= this.#sweep(old.root);
      return swept;
    };
    for (let last = exit; ; ) {
      const wasLooping = this.#history.crashLooping;
      const at = { atMs: clock.monotonic(), upMs: last.upMs };
      const { history, delayMs } = afterExit(this.#history, at, policy);
      this.#history = history;
      const subject = { name: this.name, tag: this.tag };
      if (history.crashLooping && !wasLooping) {
        events.emit("crashLooped", { ...subject, lastExit: last });
      }
      events.emit("restarting", { ...subject, delayMs });
      if (delayMs > 0 || !isFresh) await sweep();
      if (delayMs > 0) await this.#pause(delayMs);
      closed.throwIfAborted();
      if (this.stopping) return undefined;
      try {
        const life = await this.#beginLife();
        this.#restarts++;
        this.#tellStarted(life);
        this.#cleaned = sweep().then(() => this.#remove(old.folder));
        return life;
      } catch (error) {
        closed.throwIfAborted();
        logger.warn({ run: this.name, error }, "a restart failed");
        last = { ...unseen, lastLines: [toError(error).message] };
        this.#lastExit = last;
        this.#tellExited(last);
      }
    }
  }

  async #pause(ms: number): Promise<void> {
    const { clock, closed } = this.#context;
    const signal = AbortSignal.any([closed, this.#stopping.signal]);
    await clock.sleep(ms, { signal }).catch(() => {}); // the caller looks which it was
  }

  async #beginLife(): Promise<Life> {
    // The random part: a wrapper of an earlier run that is late must not find this folder.
    this.#lives++;
    const id = `${this.#lives}-${randomBytes(6).toString("hex")}`;
    const { executable, arguments: args, workingDirectory } = this.#record;
    const beginning = Life.begin(this.#context, {
      life: join(this.#paths.lives, id),
      environment: this.#paths.environment,
      logPath: this.#log,
      executable,
      arguments: args,
      workingDirectory,
    });
    this.#beginning = beginning;
    const life = await beginning;
    this.#life = life;
    this.#root = life.root;
    this.#state = "running";
    this.#runningSinceMs = this.#context.clock.monotonic();
    return life;
  }

  /** Kills what is left of the tree of a life that has ended. */
  async #sweep(root: Root): Promise<void> {
    const { clock, closed, logger, table } = this.#context;
    try {
      await endTree(root, { table, clock, signal: closed });
      // From now on its number may become somebody else's.
      if (this.#root === root) this.#root = undefined;
    } catch (error) {
      if (!closed.aborted) logger.warn({ run: this.name, error }, "a process was left behind");
    }
  }

  async #remove(folder: string): Promise<void> {
    await rm(folder, { recursive: true, force: true }).catch((error: unknown) => {
      this.#context.logger.warn({ folder, error }, "cannot remove the folder of an old life");
    });
  }

  async #exitOf(end: LifeEnd): Promise<Exit> {
    const lastLines = await this.lastLines().catch(() => []); // no reason to lose the rest
    return { ...codeAndSignal(end.status), upMs: end.upMs, lastLines };
  }

  #isToRestart(exit: Exit): boolean {
    return !this.stopping && restarts(this.#record.restart, exit);
  }

  #tellStarted({ process: { pid } }: Life): void {
    this.#context.events.emit("started", { name: this.name, tag: this.tag, pid });
  }

  #tellExited(exit: Exit): void {
    this.#context.events.emit("exited", { name: this.name, tag: this.tag, exit });
  }

  #over(): void {
    this.#state = "ended";
    this.#exited.resolve(this.#lastExit ?? unseen);
  }
}
