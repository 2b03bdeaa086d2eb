import { RoboticksError } from "@roboticks/core";

/** What can go wrong in `@roboticks/spec`; the README says what to do about each. */
export type SpecErrorCode = "ERR_SPEC_CLOSED";

/** The one error class of this package; branch on `code`. */
export class SpecError extends RoboticksError<SpecErrorCode> {
  override readonly name = "SpecError";
}
