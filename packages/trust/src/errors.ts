import { RoboticksError } from "@roboticks/core";

/** Every code of a {@link TrustError}; the README says what to do about each. */
export const trustErrorCodes = [
  "ERR_TRUST_IO",
  "ERR_TRUST_KEY_EXISTS",
  "ERR_TRUST_KEY_EXPOSED",
  "ERR_TRUST_KEY_INVALID",
  "ERR_TRUST_MALFORMED",
  "ERR_TRUST_ROLE",
  "ERR_TRUST_SIGNATURE",
  "ERR_TRUST_THRESHOLD",
] as const;

/** What can go wrong in `@roboticks/trust`. */
export type TrustErrorCode = (typeof trustErrorCodes)[number];

/** The one error class of this package; branch on `code`. */
export class TrustError extends RoboticksError<TrustErrorCode> {
  override readonly name = "TrustError";
}
