import { RoboticksError } from "@roboticks/core";

/** What can go wrong in `@roboticks/config`; the README says what to do about each. */
export type ConfigErrorCode = "ERR_CONFIG_CLOSED";

/** The one error class of this package; branch on `code`. */
export class ConfigError extends RoboticksError<ConfigErrorCode> {
  override readonly name = "ConfigError";
}
