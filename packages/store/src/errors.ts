import { RoboticksError } from "@roboticks/core";

/** Every code of a {@link StoreError}; the README says what to do about each. */
export const storeErrorCodes = [
  "ERR_STORE_CLOSED",
  "ERR_STORE_CORRUPT",
  "ERR_STORE_INVALID",
  "ERR_STORE_IO",
  "ERR_STORE_LOCKED",
  "ERR_STORE_NEWER",
] as const;

/** What can go wrong in `@roboticks/store`. */
export type StoreErrorCode = (typeof storeErrorCodes)[number];

/** The one error class of this package; branch on `code`. */
export class StoreError extends RoboticksError<StoreErrorCode> {
  override readonly name = "StoreError";
}
