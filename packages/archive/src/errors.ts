import { RoboticksError } from "@roboticks/core";

/** What can go wrong in `@roboticks/archive`; the README says what to do about each. */
export type ArchiveErrorCode = "ERR_ARCHIVE_CLOSED";

/** The one error class of this package; branch on `code`. */
export class ArchiveError extends RoboticksError<ArchiveErrorCode> {
  override readonly name = "ArchiveError";
}
