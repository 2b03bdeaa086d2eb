export type { BlobExpectation, BlobStore, ByteRange } from "./blobs.ts";
export { PlatformError, type PlatformErrorCode, platformErrorCodes } from "./errors.ts";
export { FileBlobs } from "./file-blobs.ts";
export { MemoryBlobs } from "./memory-blobs.ts";
export { MemoryState } from "./memory-state.ts";
export { createPlatform, type Platform, type PlatformOptions } from "./platform.ts";
export { sha256Hex } from "./secrets.ts";
export { openSqliteState } from "./sqlite-state.ts";
export type {
  ArchiveEntry,
  AssignmentEntry,
  CapsuleEntry,
  DeviceEntry,
  PlatformState,
  TokenEntry,
} from "./state.ts";
