import { RoboticksError, type RoboticksErrorOptions } from "@roboticks/core";
import type { Problem } from "./validate.ts";

/** Every code that a {@link ConfigError} can have; the README says what to do about each. */
export const configErrorCodes = [
  "ERR_CONFIG_INVALID",
  "ERR_CONFIG_SCHEMA",
  "ERR_CONFIG_NAME",
  "ERR_CONFIG_NOT_FOUND",
  "ERR_CONFIG_DAMAGED",
  "ERR_CONFIG_IO",
] as const;

export type ConfigErrorCode = (typeof configErrorCodes)[number];

/** The one error class of this package; branch on `code`. */
export class ConfigError extends RoboticksError<ConfigErrorCode> {
  override readonly name = "ConfigError";
  /** All that is wrong, of `ERR_CONFIG_INVALID`; else empty. */
  readonly problems: readonly Problem[];

  constructor(
    code: ConfigErrorCode,
    message: string,
    { problems = [], ...options }: RoboticksErrorOptions & { problems?: readonly Problem[] } = {},
  ) {
    super(code, message, options);
    this.problems = problems;
  }

  /** Whether the same call may succeed later though nobody changed the configuration. */
  get retryable(): boolean {
    return this.code === "ERR_CONFIG_IO";
  }
}
