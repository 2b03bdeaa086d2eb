export { append, put, remove, truncate } from "./change.ts";
export { StoreError, type StoreErrorCode, storeErrorCodes } from "./errors.ts";
export {
  MemoryData,
  type MemoryJournal,
  type MemoryStoreOptions,
  openMemoryStore,
} from "./memory.ts";
export type { SchemaIssue, SchemaResult, StandardSchema } from "./schema.ts";
export { openSqliteStore, type SqliteStoreOptions } from "./sqlite.ts";
export type {
  Change,
  Collection,
  Entry,
  Journal,
  NumberedRecord,
  ReadOptions,
  Store,
  Written,
} from "./store.ts";
