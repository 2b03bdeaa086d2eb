import { chmod, open, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type Logger, silentLogger, toError } from "@roboticks/core";
import { isSystemError, syncFolder } from "@roboticks/core/fs";
import { DriverStore } from "./driver-store.ts";
import { StoreError } from "./errors.ts";
import { SqliteDriver } from "./sqlite-driver.ts";
import { corruptMessage, sqliteFailure } from "./sqlite-error.ts";
import type { Store } from "./store.ts";

/** Options of {@link openSqliteStore}. */
export interface SqliteStoreOptions {
  /** The database file. It is made, with mode 0600, where there is none; its folder must exist. */
  readonly path: string;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** The version of the tables, in `PRAGMA user_version`. */
const tablesVersion = 1;

/** "Rbtk", in `PRAGMA application_id`: tells a store from another program's database. */
const applicationId = 0x5262746b;

const tables = `
  CREATE TABLE document (
    collection TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (collection, key)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE record (
    journal TEXT NOT NULL, seq INTEGER NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (journal, seq)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE journal (name TEXT NOT NULL PRIMARY KEY, last INTEGER NOT NULL)
    STRICT, WITHOUT ROWID;
  PRAGMA application_id = ${applicationId};
  PRAGMA user_version = ${tablesVersion};
`;

/**
 * Opens the store in the SQLite database at `path`, and makes it where there is none. Recovers
 * by itself what a kill or a power cut left behind. The whole file is checked, which takes a
 * time that grows with its size.
 *
 * The lock is the operating system's and goes with the process that has it. Nothing else in
 * that process may open the file: closing it there would give the lock away.
 *
 * @throws {StoreError} `ERR_STORE_LOCKED` at once while it is open elsewhere
 * @throws {StoreError} `ERR_STORE_CORRUPT` for a file that is damaged or no store; it is left as
 *   it is
 * @throws {StoreError} `ERR_STORE_NEWER` for one that a later version wrote
 * @throws {StoreError} `ERR_STORE_IO` where the file cannot be made, read or written
 */
export async function openSqliteStore({
  path,
  logger = silentLogger,
}: SqliteStoreOptions): Promise<Store> {
  // Absolute, so that no name is taken for SQLite's ":memory:" or a URI.
  const file = resolve(path);
  let database: DatabaseSync | undefined;
  try {
    await createFile(file);
    database = new DatabaseSync(file, { timeout: 0, allowExtension: false });
    lock(database);
    const isNew = identify(database, file);
    if (!isNew) check(database, file);
    await makePrivate(file);
    prepare(database, file, isNew);
    logger.debug({ path: file, isNew }, "opened the store");
    return new DriverStore(new SqliteDriver({ database, path: file, logger }));
  } catch (thrown) {
    closeQuietly(database);
    throw openError(thrown, file);
  }
}

/** SQLite would make the file with the umask's mode; and its WAL takes over the file's. */
async function createFile(file: string): Promise<void> {
  try {
    await using handle = await open(file, "wx", 0o600);
    await handle.chmod(0o600);
  } catch (thrown) {
    if (isSystemError(thrown, "EEXIST")) return;
    throw thrown;
  }
  await syncFolder(dirname(file));
}

/** Takes the lock for as long as the database is open; nothing was read or written before. */
function lock(database: DatabaseSync): void {
  database.exec("PRAGMA locking_mode = EXCLUSIVE");
  database.exec("BEGIN EXCLUSIVE; COMMIT");
}

/** Whether the database is still empty. Refuses one that is not ours to write, or too new. */
function identify(database: DatabaseSync, file: string): boolean {
  const id = pragma(database, "application_id");
  const version = Number(pragma(database, "user_version"));
  if (id === applicationId) {
    if (version <= tablesVersion) return false;
    throw new StoreError(
      "ERR_STORE_NEWER",
      `${file} was written by a later version (tables ${version}, this one knows ${tablesVersion}); run that version, or restore a backup of before`,
    );
  }
  const schema = database.prepare("SELECT count(*) AS objects FROM sqlite_schema").get();
  if (id === 0 && version === 0 && schema?.objects === 0) return true;
  throw new StoreError(
    "ERR_STORE_CORRUPT",
    corruptMessage(file, "it is a database of another program"),
  );
}

function check(database: DatabaseSync, file: string): void {
  const found = pragma(database, "quick_check(1)");
  if (found === "ok") return;
  throw new StoreError("ERR_STORE_CORRUPT", corruptMessage(file, String(found)));
}

/** A store that was copied back from a backup may have lost its mode. */
async function makePrivate(file: string): Promise<void> {
  // By path: closing a handle of our own would give away SQLite's lock on the file.
  for (const path of [file, `${file}-wal`]) {
    try {
      if (((await stat(path)).mode & 0o077) !== 0) await chmod(path, 0o600);
    } catch (thrown) {
      if (!isSystemError(thrown, "ENOENT")) throw thrown; // there may be no WAL yet
    }
  }
}

function prepare(database: DatabaseSync, file: string, isNew: boolean): void {
  const mode = pragma(database, "journal_mode = WAL");
  if (mode !== "wal") {
    throw new StoreError("ERR_STORE_IO", `the file system of ${file} does not take SQLite's WAL`);
  }
  database.exec(`
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA journal_size_limit = ${4 * 2 ** 20};
  `);
  if (isNew) database.exec(`BEGIN IMMEDIATE; ${tables} COMMIT`);
}

/** The one value that `PRAGMA text` gives. */
function pragma(database: DatabaseSync, text: string): unknown {
  return Object.values(database.prepare(`PRAGMA ${text}`).get() ?? {})[0];
}

function openError(thrown: unknown, file: string): StoreError {
  if (thrown instanceof StoreError) return thrown;
  return (
    sqliteFailure(thrown, file)?.error ??
    new StoreError(
      "ERR_STORE_IO",
      `${file} cannot be opened (${toError(thrown).message}); its folder must exist and be writable`,
      { cause: thrown },
    )
  );
}

function closeQuietly(database: DatabaseSync | undefined): void {
  try {
    if (database?.isOpen) database.close();
  } catch {
    // The error that made opening fail is the one to tell.
  }
}
