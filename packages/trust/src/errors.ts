import { RoboticksError } from "@roboticks/core";

/** What can go wrong in `@roboticks/trust`; the README says what to do about each. */
export type TrustErrorCode = "ERR_TRUST_CLOSED";

/** The one error class of this package; branch on `code`. */
export class TrustError extends RoboticksError<TrustErrorCode> {
  override readonly name = "TrustError";
}
