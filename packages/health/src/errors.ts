import { RoboticksError } from "@roboticks/core";

/** Every code that this package throws; the README says what to do about each. */
export const healthErrorCodes = [
  "ERR_HEALTH_TARGET_EXISTS",
  "ERR_HEALTH_CHECK_EXISTS",
  "ERR_HEALTH_NO_CHECKS",
  "ERR_HEALTH_INVALID_OPTION",
  "ERR_HEALTH_UNSUPPORTED",
  "ERR_HEALTH_CLOSED",
] as const;

/** What can go wrong in `@roboticks/health`; an unhealthy target is a verdict, not an error. */
export type HealthErrorCode = (typeof healthErrorCodes)[number];

/** The one error class of this package; branch on `code`. */
export class HealthError extends RoboticksError<HealthErrorCode> {
  override readonly name = "HealthError";
}
