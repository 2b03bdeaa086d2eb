import { join, posix } from "node:path";
import { parseDuration } from "@roboticks/core";
import type { Process } from "@roboticks/spec/capsule";
import type { Capsule } from "./capsule.ts";
import type { LauncherProgram } from "./launcher.ts";

/** What a process of a capsule is started with. */
export interface ProgramOptions {
  readonly dataFolder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly tag: string;
}

/** Where Debian and its kin keep programs; nothing of the agent's own environment is inherited. */
const standardPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/** The program of one process, from the manifest and what the deployment sets. */
export function programOf(
  capsule: Capsule,
  { command, arguments: args, environment, restart, stopSignal, stopGrace }: Process,
  options: ProgramOptions,
): LauncherProgram {
  return {
    command: posix.isAbsolute(command) ? command : join(capsule.path, command),
    arguments: args,
    workingDirectory: capsule.path,
    environment: {
      PATH: standardPath,
      HOME: options.dataFolder,
      LANG: "C.UTF-8",
      ...environment,
      ...options.environment,
      ROBOTICKS_CAPSULE_DIR: capsule.path,
      ROBOTICKS_DATA_DIR: options.dataFolder,
    },
    restart,
    stopSignal,
    stopGraceMs: parseDuration(stopGrace) ?? 10_000,
    tag: options.tag,
  };
}
