import { RoboticksError } from "@roboticks/core";

/** Codes that a request can be refused with, each with the status it is sent with. */
export const refusals = {
  ERR_PLATFORM_INVALID: 400,
  ERR_PLATFORM_TRUNCATED: 400,
  ERR_PLATFORM_UNAUTHENTICATED: 401,
  ERR_PLATFORM_DSN_KEY: 401,
  ERR_PLATFORM_PROOF: 401,
  ERR_PLATFORM_FORBIDDEN: 403,
  ERR_PLATFORM_NOT_FOUND: 404,
  ERR_PLATFORM_DEVICE_EXISTS: 409,
  ERR_PLATFORM_VERSION_EXISTS: 409,
  ERR_PLATFORM_ARCHIVE_EXISTS: 409,
  ERR_PLATFORM_ASSIGNMENT_OLD: 409,
  ERR_PLATFORM_LENGTH_REQUIRED: 411,
  ERR_PLATFORM_TOO_LARGE: 413,
  ERR_PLATFORM_RANGE: 416,
  ERR_PLATFORM_ASSIGNMENT: 422,
  ERR_PLATFORM_CAPSULE_MISSING: 422,
  ERR_PLATFORM_DIGEST: 422,
  ERR_PLATFORM_SIGNATURE: 422,
  ERR_PLATFORM_BUSY: 429,
  ERR_PLATFORM_INTERNAL: 500,
  ERR_PLATFORM_DISK_FULL: 507,
} as const;

/** A code that a request can be refused with. */
export type RefusalCode = keyof typeof refusals;

/** Codes of a platform that cannot start. */
export const startCodes = [
  "ERR_PLATFORM_LOCKED",
  "ERR_PLATFORM_STATE",
  "ERR_PLATFORM_STATE_NEWER",
  "ERR_PLATFORM_SETTINGS",
  "ERR_PLATFORM_LISTEN",
] as const;

/** Every code that a {@link PlatformError} can have; the README says what to do about each. */
export const platformErrorCodes: readonly PlatformErrorCode[] = [
  ...(Object.keys(refusals) as RefusalCode[]),
  ...startCodes,
];

export type PlatformErrorCode = RefusalCode | (typeof startCodes)[number];

/** The one error class of this package; branch on `code`. */
export class PlatformError extends RoboticksError<PlatformErrorCode> {
  override readonly name = "PlatformError";
}
