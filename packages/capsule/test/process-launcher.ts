import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { systemClock } from "@roboticks/core";
import type {
  Launcher,
  LauncherExit,
  LauncherProgram,
  LauncherRun,
  LauncherStatus,
} from "../src/index.ts";

/** The smallest launcher there can be: children of this process, each in its own group. */
export class ProcessLauncher implements Launcher {
  readonly #runs = new Map<string, ProcessRun>();

  async start(
    name: string,
    program: LauncherProgram,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<LauncherRun> {
    signal?.throwIfAborted();
    const running = this.#runs.get(name);
    if (running && running.status().state !== "ended") {
      if (running.tag !== program.tag) throw new Error(`${name} runs with the tag ${running.tag}`);
      return running;
    }
    const run = new ProcessRun(name, program);
    await run.begin();
    this.#runs.set(name, run);
    return run;
  }

  async stop(name: string): Promise<LauncherExit | undefined> {
    const run = this.#runs.get(name);
    this.#runs.delete(name);
    return run?.stop();
  }

  get(name: string): LauncherRun | undefined {
    return this.#runs.get(name);
  }

  list(): LauncherRun[] {
    return [...this.#runs.values()];
  }
}

class ProcessRun implements LauncherRun {
  readonly name: string;
  readonly #program: LauncherProgram;
  readonly #over = Promise.withResolvers<LauncherExit>();
  #child: ChildProcess | undefined;
  #startedAt = 0;
  #lines: string[] = [];
  #state: LauncherStatus["state"] = "running";
  #restarts = 0;
  #stopping = false;

  constructor(name: string, program: LauncherProgram) {
    this.name = name;
    this.#program = program;
  }

  get tag(): string {
    return this.#program.tag;
  }

  get exited(): Promise<LauncherExit> {
    return this.#over.promise;
  }

  status(): LauncherStatus {
    const pid = this.#child?.pid;
    return { state: this.#state, pid, restarts: this.#restarts, crashLooping: false };
  }

  async lastLines(count = 20): Promise<readonly string[]> {
    return this.#lines.slice(-count);
  }

  async begin(): Promise<void> {
    const { command, arguments: args, environment, workingDirectory } = this.#program;
    const child = spawn(command, args, {
      cwd: workingDirectory,
      env: environment,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
    });
    await once(child, "spawn");
    this.#child = child;
    this.#startedAt = systemClock.monotonic();
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        this.#lines.push(...text.split("\n").filter(Boolean));
      });
    }
    child.once("close", (code, signal) => void this.#ended(code, signal));
  }

  async stop(): Promise<LauncherExit | undefined> {
    if (this.#state === "ended") return undefined;
    this.#stopping = true;
    this.#kill(this.#program.stopSignal);
    const late = new AbortController();
    systemClock.sleep(this.#program.stopGraceMs, { signal: late.signal }).then(
      () => this.#kill("SIGKILL"),
      () => {}, // it ended in time
    );
    const exit = await this.exited;
    late.abort();
    return exit;
  }

  #kill(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid !== undefined) process.kill(-pid, signal);
  }

  async #ended(code: number | null, signal: NodeJS.Signals | null): Promise<void> {
    const { restart } = this.#program;
    const again = restart === "always" || (restart === "on-failure" && code !== 0);
    if (again && !this.#stopping) {
      this.#restarts++;
      return this.begin();
    }
    this.#state = "ended";
    this.#over.resolve({
      code,
      signal,
      upMs: systemClock.monotonic() - this.#startedAt,
      lastLines: this.#lines,
    });
  }
}
