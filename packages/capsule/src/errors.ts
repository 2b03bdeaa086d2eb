import { RoboticksError } from "@roboticks/core";

/** What can go wrong in `@roboticks/capsule`; the README says what to do about each. */
export type CapsuleErrorCode = "ERR_CAPSULE_CLOSED";

/** The one error class of this package; branch on `code`. */
export class CapsuleError extends RoboticksError<CapsuleErrorCode> {
  override readonly name = "CapsuleError";
}
