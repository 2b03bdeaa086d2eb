import { RoboticksError } from "@roboticks/core";

/** Every code that the command line itself fails with; those of the packages pass through it. */
export const cliErrorCodes = [
  "ERR_CLI_USAGE",
  "ERR_CLI_NO_CONTEXT",
  "ERR_CLI_FILE",
  "ERR_CLI_UNKNOWN_CAPSULE",
  "ERR_CLI_CAPSULE_MANIFEST",
  "ERR_CLI_ENVIRONMENT",
  "ERR_CLI_DEPLOYMENT_FAILED",
  "ERR_CLI_TIMEOUT",
  "ERR_CLI_DEV_RUNNING",
  "ERR_CLI_DEV_START",
  "ERR_CLI_EXECUTABLE",
  "ERR_CLI_TOUR",
] as const;

export type CliErrorCode = (typeof cliErrorCodes)[number];

/** The one error class of the command line. */
export class CliError extends RoboticksError<CliErrorCode> {
  override readonly name = "CliError";
}
