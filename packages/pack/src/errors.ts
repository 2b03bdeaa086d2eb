import { RoboticksError } from "@roboticks/core";

/** What can go wrong in `@roboticks/pack`; the README says what to do about each. */
export type PackErrorCode = "ERR_PACK_CLOSED";

/** The one error class of this package; branch on `code`. */
export class PackError extends RoboticksError<PackErrorCode> {
  override readonly name = "PackError";
}
