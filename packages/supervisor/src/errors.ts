import { RoboticksError } from "@roboticks/core";

/** Every code of {@link SupervisorError}; the README says what to do about each. */
export const supervisorErrorCodes = [
  "ERR_SUPERVISOR_ALREADY_RUNNING",
  "ERR_SUPERVISOR_CLOSED",
  "ERR_SUPERVISOR_INVALID_NAME",
  "ERR_SUPERVISOR_INVALID_PROGRAM",
  "ERR_SUPERVISOR_ROOT_UNUSABLE",
  "ERR_SUPERVISOR_SPAWN_FAILED",
  "ERR_SUPERVISOR_STOP_FAILED",
  "ERR_SUPERVISOR_UNSUPPORTED",
] as const;

/** What can go wrong in `@roboticks/supervisor`. */
export type SupervisorErrorCode = (typeof supervisorErrorCodes)[number];

/** The one error class of this package; branch on `code`. */
export class SupervisorError extends RoboticksError<SupervisorErrorCode> {
  override readonly name = "SupervisorError";
}
