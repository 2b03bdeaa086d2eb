export { ConfigError, type ConfigErrorCode } from "./errors.ts";
