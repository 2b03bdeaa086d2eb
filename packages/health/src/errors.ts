import { RoboticksError } from "@roboticks/core";

/** What can go wrong in `@roboticks/health`; the README says what to do about each. */
export type HealthErrorCode = "ERR_HEALTH_CLOSED";

/** The one error class of this package; branch on `code`. */
export class HealthError extends RoboticksError<HealthErrorCode> {
  override readonly name = "HealthError";
}
