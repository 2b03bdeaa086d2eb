import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { toError } from "@roboticks/core";
import { digestOf } from "@roboticks/core/digest";
import { syncFolder } from "@roboticks/core/fs";
import { nameSchema } from "@roboticks/spec/words";
import type { Capsule } from "./capsule.ts";
import { CapsuleError, ioError, startFailed } from "./errors.ts";
import type { Launcher, LauncherExit, LauncherProgram, LauncherRun } from "./launcher.ts";
import { programOf } from "./program.ts";

/** Options of `CapsuleManager.start`. */
export interface StartOptions {
  /** What this use of the capsule is called. Default: the capsule's name. */
  readonly as?: string;
  /** Over the environment of the manifest. Default: none. */
  readonly environment?: Readonly<Record<string, string>>;
  /**
   * What the caller knows this start by: starting again with the same tag changes nothing, with
   * another one is refused until it was stopped. Default: a digest of the capsule and all that
   * its processes get.
   */
  readonly tag?: string;
  readonly signal?: AbortSignal;
}

/** A capsule that was started. */
export interface CapsuleRun {
  /** The name of the use. */
  readonly as: string;
  readonly tag: string;
  /** In the order of the manifest; after a restart of the agent, in that of the launcher. */
  readonly processes: readonly {
    /** As the manifest calls it. */
    readonly name: string;
    readonly run: LauncherRun;
  }[];
  /** How the first of its processes ended that is over; a restart is no end. */
  readonly exited: Promise<LauncherExit>;
  /** Stops all of its processes; see `CapsuleManager.stop`. */
  stop(options?: { readonly signal?: AbortSignal }): Promise<void>;
}

/** Starts and stops capsules. What runs is known to the launcher alone, so nothing is kept here. */
export class Runs {
  readonly #launcher: Launcher | undefined;
  readonly #data: string;

  constructor(launcher: Launcher | undefined, data: string) {
    this.#launcher = launcher;
    this.#data = data;
  }

  async start(capsule: Capsule, options: StartOptions): Promise<CapsuleRun> {
    const { as = capsule.name, environment = {}, signal } = options;
    checkName(as);
    const launcher = this.#require();
    const dataFolder = join(this.#data, as);
    const programs = Object.entries(capsule.manifest.processes).map(([name, process]) => {
      const program = programOf(capsule, process, { dataFolder, environment, tag: "" });
      return { name: `${as}.${name}`, program };
    });
    const tag = options.tag ?? digestOf(JSON.stringify([capsule.digest, programs]));
    this.#refuseOther(as, tag);
    await makeFolder(dataFolder, this.#data);
    await this.#startAll(
      launcher,
      as,
      programs.map(({ name, program }) => ({ name, program: { ...program, tag } })),
      signal,
    );
    const run = this.get(as);
    if (!run) throw startFailed(as, "the launcher does not know its processes any more");
    return run;
  }

  async stop(as: string, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    checkName(as);
    const launcher = this.#require();
    const names = this.#runsOf(as).map(({ name }) => name);
    await stopAll(launcher, as, names, options);
  }

  /** All uses, as far as the launcher knows them. */
  list(): CapsuleRun[] {
    // A process is called `<use>.<process>`, and a use has no dot in it.
    const uses = new Set(
      (this.#launcher?.list() ?? []).flatMap(({ name }) => {
        const dot = name.indexOf(".");
        return dot > 0 ? [name.slice(0, dot)] : [];
      }),
    );
    return [...uses].flatMap((as) => this.get(as) ?? []);
  }

  get(as: string): CapsuleRun | undefined {
    const runs = this.#runsOf(as);
    const [first] = runs;
    if (!first) return undefined;
    return {
      as,
      tag: first.tag,
      processes: runs.map((run) => ({ name: run.name.slice(as.length + 1), run })),
      // Asked for only when it is read: nobody else would hear it fail.
      get exited() {
        return Promise.race(runs.map((run) => run.exited));
      },
      stop: (options) => this.stop(as, options),
    };
  }

  /** All or none of it: when one cannot be started, those that could are stopped again. */
  async #startAll(
    launcher: Launcher,
    as: string,
    programs: readonly { readonly name: string; readonly program: LauncherProgram }[],
    signal: AbortSignal | undefined,
  ): Promise<void> {
    const started: string[] = [];
    try {
      for (const { name, program } of programs) {
        signal?.throwIfAborted();
        started.push(name); // also one that was begun and whose start then failed
        await launcher.start(name, program, { signal });
      }
    } catch (cause) {
      const trouble = await stopAll(launcher, as, started, {}).then(
        () => "",
        (error) => `; ${toError(error).message}`,
      );
      signal?.throwIfAborted();
      throw startFailed(started.at(-1) ?? as, `${toError(cause).message}${trouble}`, cause);
    }
  }

  #refuseOther(as: string, tag: string): void {
    const other = this.#runsOf(as).find((run) => run.tag !== tag && run.status().state !== "ended");
    if (!other) return;
    throw new CapsuleError(
      "ERR_CAPSULE_ALREADY_RUNNING",
      `"${as}" runs already, as another capsule or with another environment (${other.name} has the tag ${other.tag}); stop it first`,
    );
  }

  #runsOf(as: string): readonly LauncherRun[] {
    // A name has no dot in it, so that no use can be mistaken for the beginning of another.
    return (this.#launcher?.list() ?? []).filter(({ name }) => name.startsWith(`${as}.`));
  }

  #require(): Launcher {
    if (this.#launcher) return this.#launcher;
    throw new CapsuleError(
      "ERR_CAPSULE_NO_LAUNCHER",
      "this manager was opened without a launcher, so it cannot start or stop anything; give one to CapsuleManager.open",
    );
  }
}

async function stopAll(
  launcher: Launcher,
  as: string,
  names: readonly string[],
  options: { readonly signal?: AbortSignal },
): Promise<void> {
  const endings = await Promise.allSettled(names.map((name) => launcher.stop(name, options)));
  options.signal?.throwIfAborted();
  const causes = endings.flatMap((ending) => (ending.status === "rejected" ? [ending.reason] : []));
  if (causes.length === 0) return;
  throw new CapsuleError(
    "ERR_CAPSULE_STOP_FAILED",
    `could not stop all of "${as}": ${causes.map((cause) => toError(cause).message).join("; ")}; stop it again`,
    { cause: causes.length === 1 ? causes[0] : new AggregateError(causes), retryable: true },
  );
}

async function makeFolder(folder: string, parent: string): Promise<void> {
  try {
    if ((await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined) {
      await syncFolder(parent);
    }
  } catch (cause) {
    throw ioError(`make the folder ${folder}`, cause);
  }
}

function checkName(as: string): void {
  const { success, error } = nameSchema.safeParse(as);
  if (success) return;
  throw new CapsuleError(
    "ERR_CAPSULE_NAME",
    `"${as}" cannot name the use of a capsule: ${error.issues[0]?.message}`,
  );
}
