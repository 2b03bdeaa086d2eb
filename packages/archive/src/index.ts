export { ArchiveError, type ArchiveErrorCode, archiveErrorCodes } from "./errors.ts";
export { type ExtractOptions, type ExtractProgress, extractArchive } from "./extract.ts";
export { judgeTable } from "./judge.ts";
export { defaultLimits, type Limits } from "./limits.ts";
export { type ReadManifestOptions, readManifest } from "./manifest.ts";
export type { FileEntry, LinkEntry, TableEntry } from "./table.ts";
export { type Problem, verifyTree } from "./verify.ts";
