import { StoreError, type StoreErrorCode } from "./errors.ts";

/** Primary result codes of SQLite (sqlite.org/rescode.html). */
const busy = 5;
const corrupt = 11;
const full = 13;
const notADatabase = 26;

/** What an error of SQLite means here. */
export interface SqliteFailure {
  readonly error: StoreError;
  /** Whether the connection may be used on: the change was undone, and nothing else happened. */
  readonly usable: boolean;
}

/**
 * What `thrown` means for the store at `path`; `undefined` where SQLite did not throw it.
 * Locks, damage and a full disk have their own meaning, everything else is an I/O error.
 */
export function sqliteFailure(thrown: unknown, path: string): SqliteFailure | undefined {
  if (!(thrown instanceof Error && "errcode" in thrown && typeof thrown.errcode === "number")) {
    return undefined;
  }
  const fail = (code: StoreErrorCode, message: string, usable = false): SqliteFailure => ({
    error: new StoreError(code, message, { cause: thrown }),
    usable,
  });
  switch (thrown.errcode & 0xff) {
    case busy:
      return fail(
        "ERR_STORE_LOCKED",
        `${path} is open in another store or process; stop that one first`,
      );
    case corrupt:
    case notADatabase:
      return fail("ERR_STORE_CORRUPT", corruptMessage(path, thrown.message));
    case full:
      return fail(
        "ERR_STORE_IO",
        `the disk of ${path} is full, and nothing was written; free some space and write again`,
        true,
      );
    default:
      return fail(
        "ERR_STORE_IO",
        `${path} cannot be read or written (${thrown.message}); mend the disk or the permissions, then open the store again`,
      );
  }
}

/** What to say, and to do, of a file that holds no store that can be relied on. */
export function corruptMessage(path: string, flaw: string): string {
  return `${path} is damaged or not a store (${flaw}), and was left as it is; keep a copy of it and of ${path}-wal, then restore a backup or move both away to begin anew`;
}
