import { access, constants as modes, stat } from "node:fs/promises";
import { constants } from "node:os";
import { delimiter, isAbsolute, join } from "node:path";
import { toError } from "@roboticks/core";
import { SupervisorError } from "./errors.ts";
import type { Restart } from "./restart-policy.ts";

/** What to run, and how to keep it running. */
export interface Program {
  /** Absolute path, or a name that is looked up on `PATH` of `environment`. */
  readonly command: string;
  /** Default none. */
  readonly arguments?: readonly string[];
  /**
   * The whole environment: nothing is inherited. Names are those that a shell can export
   * (letters, digits, `_`; no digit first). Default empty.
   */
  readonly environment?: Readonly<Record<string, string>>;
  /** Absolute; has to exist. */
  readonly workingDirectory: string;
  /** Whether it is started again when it ends. Default `"never"`. */
  readonly restart?: Restart;
  /** What `stop` sends first. Default `SIGTERM`. */
  readonly stopSignal?: NodeJS.Signals;
  /** How long it has to end after that, in ms, before its tree is killed. Default 10,000. */
  readonly stopGraceMs?: number;
  /** What the caller knows this program by, a digest for instance. Default `""`. */
  readonly tag?: string;
}

/** A program whose members were checked, with every default filled in. */
export type CheckedProgram = Required<Program>;

/**
 * Fills in the defaults.
 *
 * @throws {SupervisorError} `ERR_SUPERVISOR_INVALID_PROGRAM`
 */
export function checkProgram({
  command,
  arguments: args = [],
  environment = {},
  workingDirectory,
  restart = "never",
  stopSignal = "SIGTERM",
  stopGraceMs = 10_000,
  tag = "",
}: Program): CheckedProgram {
  if (command === "" || (command.includes("/") && !isAbsolute(command))) {
    invalid(`command ${JSON.stringify(command)} is neither an absolute path nor a bare name`);
  }
  if (!isAbsolute(workingDirectory)) {
    invalid(`workingDirectory ${JSON.stringify(workingDirectory)} is not an absolute path`);
  }
  for (const name of Object.keys(environment)) {
    // The program gets its environment from a shell, which cannot export any other name.
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      invalid(
        `environment variable ${JSON.stringify(name)} is not made of letters, digits and "_"`,
      );
    }
  }
  const own = Object.keys(environment).find((name) => /^(_roboticks_.*|OPTIND)$/.test(name));
  if (own)
    invalid(`environment variable ${own} is one that the shell which starts it needs itself`);
  if ([command, workingDirectory, ...args, ...Object.values(environment)].some(holdsNul)) {
    invalid("a NUL character cannot be part of a command, an argument or the environment");
  }
  if (constants.signals[stopSignal] === undefined) {
    invalid(`stopSignal ${JSON.stringify(stopSignal)} is no signal of this system`);
  }
  if (!Number.isFinite(stopGraceMs) || stopGraceMs < 0) {
    invalid(`stopGraceMs ${stopGraceMs} is not a number of milliseconds ≥ 0`);
  }
  return {
    command,
    arguments: args,
    environment,
    workingDirectory,
    restart,
    stopSignal,
    stopGraceMs,
    tag,
  };
}

function holdsNul(text: string): boolean {
  return text.includes("\0");
}

function invalid(reason: string): never {
  throw new SupervisorError(
    "ERR_SUPERVISOR_INVALID_PROGRAM",
    `the program cannot be run: ${reason}`,
  );
}

/**
 * The absolute path of the program's executable. What a spawn would fail at is found here, where
 * it has a plain reason.
 *
 * @throws {SupervisorError} `ERR_SUPERVISOR_SPAWN_FAILED`
 */
export async function findExecutable({
  command,
  environment,
  workingDirectory,
}: CheckedProgram): Promise<string> {
  await stat(workingDirectory).then(
    (entry) => entry.isDirectory() || spawnFailed(`${workingDirectory} is not a folder`),
    (cause) => spawnFailed(`its working directory ${workingDirectory} cannot be used`, cause),
  );
  if (isAbsolute(command)) {
    await executable(command).catch((cause) => spawnFailed(`${command} cannot be executed`, cause));
    return command;
  }
  const folders = (environment.PATH ?? "").split(delimiter).filter(isAbsolute);
  for (const folder of folders) {
    const path = join(folder, command);
    if (await executable(path).catch(() => false)) return path; // not there: the next folder
  }
  return spawnFailed(
    folders.length > 0
      ? `no folder on PATH of its environment holds an executable "${command}"`
      : `"${command}" is no absolute path, and its environment has no PATH to look on`,
  );
}

async function executable(path: string): Promise<true> {
  await access(path, modes.X_OK);
  if (!(await stat(path)).isFile()) throw new Error(`${path} is not a file`);
  return true;
}

function spawnFailed(reason: string, cause?: unknown): never {
  const why = cause === undefined ? reason : `${reason}: ${toError(cause).message}`;
  throw new SupervisorError("ERR_SUPERVISOR_SPAWN_FAILED", `the program was not started: ${why}`, {
    cause,
  });
}
