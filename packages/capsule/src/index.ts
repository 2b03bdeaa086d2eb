export { CapsuleError, type CapsuleErrorCode } from "./errors.ts";
