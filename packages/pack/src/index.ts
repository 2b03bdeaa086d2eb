export { PackError, type PackErrorCode } from "./errors.ts";
