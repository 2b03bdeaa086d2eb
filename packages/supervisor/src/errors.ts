import { RoboticksError } from "@roboticks/core";

/** What can go wrong in `@roboticks/supervisor`; the README says what to do about each. */
export type SupervisorErrorCode = "ERR_SUPERVISOR_CLOSED";

/** The one error class of this package; branch on `code`. */
export class SupervisorError extends RoboticksError<SupervisorErrorCode> {
  override readonly name = "SupervisorError";
}
