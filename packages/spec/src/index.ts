export { SpecError, type SpecErrorCode } from "./errors.ts";
