/** A program as a launcher runs it. */
export interface LauncherProgram {
  /** Absolute path. */
  readonly command: string;
  readonly arguments: readonly string[];
  /** The whole environment; nothing is inherited. */
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  /** When it is started again after it ended by itself. */
  readonly restart: "always" | "on-failure" | "never";
  readonly stopSignal: NodeJS.Signals;
  /** From the stop signal until the whole process tree is killed. */
  readonly stopGraceMs: number;
  /** What the caller knows this program by. */
  readonly tag: string;
}

/** How a program ended. */
export interface LauncherExit {
  /** `code` and `signal` are both null when it ended while nobody could see how. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** How long it was up. */
  readonly upMs: number;
  /** What it said last. */
  readonly lastLines: readonly string[];
}

/** What a program is doing now. */
export interface LauncherStatus {
  readonly state: "running" | "restarting" | "ended";
  readonly pid?: number;
  /** Wall time in ms. */
  readonly startedAt?: number;
  readonly restarts: number;
  readonly crashLooping: boolean;
  readonly lastExit?: LauncherExit;
}

/** A program that was started, through all its restarts. */
export interface LauncherRun {
  readonly name: string;
  readonly tag: string;
  status(): LauncherStatus;
  /** Resolves when the run is over: stopped, or ended and not restarted. */
  readonly exited: Promise<LauncherExit>;
  lastLines(count?: number): Promise<readonly string[]>;
}

/**
 * What runs the processes of capsules, and knows them again after a restart of the agent.
 * `launcherContract` of `@roboticks/capsule/testing` says what it promises, as tests;
 * the supervisor of `@roboticks/supervisor` keeps it.
 */
export interface Launcher {
  /**
   * Resolves once the process exists. The same name and tag already running is that run; the
   * same name with another tag is refused.
   */
  start(
    name: string,
    program: LauncherProgram,
    options?: { readonly signal?: AbortSignal },
  ): Promise<LauncherRun>;
  /** Resolves once the whole process tree is gone; `undefined` when nothing ran by that name. */
  stop(
    name: string,
    options?: { readonly signal?: AbortSignal },
  ): Promise<LauncherExit | undefined>;
  get(name: string): LauncherRun | undefined;
  list(): readonly LauncherRun[];
}
