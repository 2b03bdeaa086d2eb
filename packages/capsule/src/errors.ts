import { RoboticksError, type RoboticksErrorOptions, toError } from "@roboticks/core";
import { isSystemError } from "@roboticks/core/fs";

/** Every code that a {@link CapsuleError} can have; the README says what to do about each. */
export const capsuleErrorCodes = [
  "ERR_CAPSULE_DOWNLOAD",
  "ERR_CAPSULE_DIGEST_MISMATCH",
  "ERR_CAPSULE_ARCHIVE",
  "ERR_CAPSULE_MANIFEST",
  "ERR_CAPSULE_PLATFORM",
  "ERR_CAPSULE_NO_SPACE",
  "ERR_CAPSULE_IO",
  "ERR_CAPSULE_NOT_FOUND",
  "ERR_CAPSULE_NAME",
  "ERR_CAPSULE_NO_LAUNCHER",
  "ERR_CAPSULE_ALREADY_RUNNING",
  "ERR_CAPSULE_START_FAILED",
  "ERR_CAPSULE_STOP_FAILED",
  "ERR_CAPSULE_CLOSED",
] as const;

export type CapsuleErrorCode = (typeof capsuleErrorCodes)[number];

/** What a {@link CapsuleError} carries beside its message. */
export interface CapsuleErrorOptions extends RoboticksErrorOptions {
  /** Default false. */
  readonly retryable?: boolean;
  readonly retryAfterMs?: number;
}

/** The one error class of this package; branch on `code`. */
export class CapsuleError extends RoboticksError<CapsuleErrorCode> {
  override readonly name = "CapsuleError";
  /**
   * Whether the same call may succeed later though nobody changed the capsule: a link that was
   * down, a full disk. No reason to call a release bad.
   */
  readonly retryable: boolean;
  /** How long the server asked to be left alone, in ms. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: CapsuleErrorCode,
    message: string,
    { retryable = false, retryAfterMs, ...options }: CapsuleErrorOptions = {},
  ) {
    super(code, message, options);
    this.retryable = retryable;
    this.retryAfterMs = retryAfterMs;
  }
}

/** What the file system refused, in the words of this package; a {@link CapsuleError} stays. */
export function ioError(what: string, cause: unknown): CapsuleError {
  if (cause instanceof CapsuleError) return cause;
  if (isSystemError(cause, "ENOSPC", "EDQUOT")) {
    return new CapsuleError(
      "ERR_CAPSULE_NO_SPACE",
      `no space left to ${what}; free some and try again`,
      { cause, retryable: true },
    );
  }
  return new CapsuleError(
    "ERR_CAPSULE_IO",
    `could not ${what}: ${toError(cause).message}; see to the disk and try again`,
    { cause, retryable: true },
  );
}

/** What the system says when it lacks memory, processes, descriptors or a disk that works. */
const shortages = ["EAGAIN", "ENOMEM", "EMFILE", "ENFILE", "ENOSPC", "EIO"] as const;

/**
 * Why something could not be started. Its `retryable` is taken from `cause`: true where that, or
 * the cause which it has itself, is trouble of the surroundings and not of the program.
 */
export function startFailed(what: string, why: string, cause?: unknown): CapsuleError {
  const beneath = cause instanceof Error ? cause.cause : undefined;
  return new CapsuleError("ERR_CAPSULE_START_FAILED", `could not start ${what}: ${why}`, {
    cause,
    retryable: isSystemError(cause, ...shortages) || isSystemError(beneath, ...shortages),
  });
}
