export { PackError, type PackErrorCode, packErrorCodes } from "./errors.ts";
export type { Compression } from "./frames.ts";
export { type PackedCapsule, type PackOptions, type PackProgress, packCapsule } from "./pack.ts";
