import { ClientError } from "@roboticks/client";
import { CliError } from "./errors.ts";

/** What the command line ends with; scripts branch on it. */
export const exitStatus = {
  done: 0,
  failed: 1,
  usage: 2,
  notAllowed: 4,
  notFound: 5,
  timeout: 124,
  interrupted: 130,
} as const;

/** The exit status that says what `error` is. */
export function exitStatusOf(error: unknown): number {
  if (error instanceof CliError) {
    if (error.code === "ERR_CLI_USAGE" || error.code === "ERR_CLI_NO_CONTEXT") {
      return exitStatus.usage;
    }
    if (error.code === "ERR_CLI_UNKNOWN_CAPSULE") return exitStatus.notFound;
    if (error.code === "ERR_CLI_TIMEOUT") return exitStatus.timeout;
  }
  if (error instanceof ClientError) {
    if (error.status === 401 || error.status === 403) return exitStatus.notAllowed;
    if (error.status === 404) return exitStatus.notFound;
    if (error.code === "ERR_CLIENT_TIMEOUT") return exitStatus.timeout;
  }
  return exitStatus.failed;
}
