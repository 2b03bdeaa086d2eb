import { RoboticksError } from "@roboticks/core";

/** Every code that a {@link PackError} can have; the README says what to do about each. */
export const packErrorCodes = [
  "ERR_PACK_FOLDER",
  "ERR_PACK_NO_MANIFEST",
  "ERR_PACK_NO_SCHEMA",
  "ERR_PACK_COMMAND_MISSING",
  "ERR_PACK_COMMAND_NOT_EXECUTABLE",
  "ERR_PACK_UNSUPPORTED_FILE",
  "ERR_PACK_UNSAFE",
  "ERR_PACK_TOO_LARGE",
  "ERR_PACK_OUTPUT",
  "ERR_PACK_CHANGED",
  "ERR_PACK_READ",
  "ERR_PACK_WRITE",
] as const;

export type PackErrorCode = (typeof packErrorCodes)[number];

/** The one error class of this package; branch on `code`. */
export class PackError extends RoboticksError<PackErrorCode> {
  override readonly name = "PackError";
}

/** An error of the file system in the words of this package, others as they are. */
export function systemError(
  code: "ERR_PACK_READ" | "ERR_PACK_WRITE",
  path: string,
  error: unknown,
): unknown {
  if (!(error instanceof Error && "syscall" in error)) return error;
  const verb = code === "ERR_PACK_READ" ? "read" : "write";
  return new PackError(code, `cannot ${verb} ${path}: ${error.message}`, { cause: error });
}
