export { StoreError, type StoreErrorCode } from "./errors.ts";
