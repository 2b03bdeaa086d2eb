import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { CliError } from "./errors.ts";

/**
 * The path of a sibling executable (`roboticks-agent`, `roboticks-platform`). It lies beside the
 * executable that was started, or in the folder that `ROBOTICKS_BIN_DIR` names.
 *
 * @throws {CliError} `ERR_CLI_EXECUTABLE`
 */
export function executable(name: string, env = process.env): string {
  // A script is started by a runtime, a single file is its own.
  const started = process.argv[1] ?? process.execPath;
  const path = join(env.ROBOTICKS_BIN_DIR ?? dirname(started), name);
  if (existsSync(path)) return path;
  throw new CliError(
    "ERR_CLI_EXECUTABLE",
    `${path} is not there; put ${name} beside roboticks, or set ROBOTICKS_BIN_DIR to its folder`,
  );
}

/**
 * The folder of the sample workload, which `ROBOTICKS_HELLO_WORLD` names.
 *
 * @throws {CliError} `ERR_CLI_EXECUTABLE`
 */
export function helloWorld(env = process.env): string {
  const folder = env.ROBOTICKS_HELLO_WORLD;
  if (folder && existsSync(join(folder, "build.mjs"))) return folder;
  throw new CliError(
    "ERR_CLI_EXECUTABLE",
    "the sample workload is not there; set ROBOTICKS_HELLO_WORLD to its folder (apps/hello-world of the sources)",
  );
}
