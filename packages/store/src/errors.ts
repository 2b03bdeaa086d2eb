import { RoboticksError } from "@roboticks/core";

/** What can go wrong in `@roboticks/store`; the README says what to do about each. */
export type StoreErrorCode = "ERR_STORE_CLOSED";

/** The one error class of this package; branch on `code`. */
export class StoreError extends RoboticksError<StoreErrorCode> {
  override readonly name = "StoreError";
}
