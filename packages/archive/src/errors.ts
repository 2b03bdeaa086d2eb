import { RoboticksError, toError } from "@roboticks/core";
import { isSystemError } from "@roboticks/core/fs";

/** Every code that an {@link ArchiveError} can have; the README says what to do about each. */
export const archiveErrorCodes = [
  "ERR_ARCHIVE_INVALID_ENTRY",
  "ERR_ARCHIVE_UNSAFE_PATH",
  "ERR_ARCHIVE_UNSAFE_LINK",
  "ERR_ARCHIVE_COLLISION",
  "ERR_ARCHIVE_LIMIT",
  "ERR_ARCHIVE_FORMAT",
  "ERR_ARCHIVE_CORRUPT",
  "ERR_ARCHIVE_TRUNCATED",
  "ERR_ARCHIVE_TRAILING_DATA",
  "ERR_ARCHIVE_MISMATCH",
  "ERR_ARCHIVE_DIGEST_MISMATCH",
  "ERR_ARCHIVE_NOT_EMPTY",
  "ERR_ARCHIVE_NO_SPACE",
  "ERR_ARCHIVE_WRITE",
] as const;

export type ArchiveErrorCode = (typeof archiveErrorCodes)[number];

/** The one error class of this package; branch on `code`. */
export class ArchiveError extends RoboticksError<ArchiveErrorCode> {
  override readonly name = "ArchiveError";
}

/** The error of a file system, in the words of this package. */
export function writeError(path: string, cause: unknown): ArchiveError {
  if (cause instanceof ArchiveError) return cause;
  if (isSystemError(cause, "ENOSPC", "EDQUOT")) {
    return new ArchiveError(
      "ERR_ARCHIVE_NO_SPACE",
      `no space left to write ${path}; free some and try again`,
      { cause },
    );
  }
  return new ArchiveError("ERR_ARCHIVE_WRITE", `cannot write ${path}: ${toError(cause).message}`, {
    cause,
  });
}
