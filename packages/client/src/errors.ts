import { RoboticksError } from "@roboticks/core";

/** What can go wrong in `@roboticks/client`; the README says what to do about each. */
export type ClientErrorCode = "ERR_CLIENT_CLOSED";

/** The one error class of this package; branch on `code`. */
export class ClientError extends RoboticksError<ClientErrorCode> {
  override readonly name = "ClientError";
}
