export { TrustError, type TrustErrorCode } from "./errors.ts";
