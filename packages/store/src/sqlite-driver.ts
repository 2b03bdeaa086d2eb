import type { DatabaseSync, SQLOutputValue, StatementSync } from "node:sqlite";
import { type Logger, silentLogger } from "@roboticks/core";
import type { Driver, Operation } from "./driver.ts";
import { StoreError } from "./errors.ts";
import { corruptMessage, sqliteFailure } from "./sqlite-error.ts";

/** What a {@link SqliteDriver} works on. */
export interface SqliteDriverOptions {
  /** Open, exclusively locked, with the tables of this version; the driver closes it. */
  readonly database: DatabaseSync;
  /** Where the database is; for messages. */
  readonly path: string;
  readonly logger?: Logger;
}

/**
 * Documents and journals in a SQLite database.
 *
 * After an I/O error or damage it closes the database and refuses everything: what the kernel's
 * cache holds after an fsync that failed is not what the disk holds, so only opening anew, with
 * SQLite's recovery, tells what is there.
 */
export class SqliteDriver implements Driver {
  readonly #database: DatabaseSync;
  readonly #path: string;
  readonly #logger: Logger;
  readonly #statements: Statements;
  readonly #told = Promise.withResolvers<StoreError>();
  #stopped: StoreError | undefined;

  constructor({ database, path, logger = silentLogger }: SqliteDriverOptions) {
    this.#database = database;
    this.#path = path;
    this.#logger = logger;
    this.#statements = prepareStatements(database);
  }

  get stopped(): Promise<StoreError> {
    return this.#told.promise;
  }

  get(collection: string, key: string): string | undefined {
    return this.#guard(() => {
      const row = this.#statements.get.get(collection, key);
      return row && this.#text(row.value);
    });
  }

  list(collection: string): { readonly key: string; readonly text: string }[] {
    return this.#guard(() =>
      this.#statements.list
        .all(collection)
        .map((row) => ({ key: this.#text(row.key), text: this.#text(row.value) })),
    );
  }

  read(
    journal: string,
    after: number,
    limit = -1, // SQLite's "no limit"
  ): { readonly seq: number; readonly text: string }[] {
    return this.#guard(() =>
      this.#statements.read
        .all(journal, after, limit)
        .map((row) => ({ seq: this.#integer(row.seq), text: this.#text(row.value) })),
    );
  }

  commit(operations: readonly Operation[]): number[] {
    return this.#guard(() => {
      this.#statements.begin.run();
      const seqs: number[] = [];
      for (const operation of operations) {
        const seq = this.#apply(operation);
        if (seq !== undefined) seqs.push(seq);
      }
      this.#statements.commit.run();
      return seqs;
    });
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #apply(operation: Operation): number | undefined {
    const { put, remove, append, keepLast, truncate } = this.#statements;
    switch (operation.kind) {
      case "put":
        put.run(operation.collection, operation.key, operation.text);
        return undefined;
      case "delete":
        remove.run(operation.collection, operation.key);
        return undefined;
      case "append": {
        const seq = this.#lastSeq(operation.journal) + 1;
        append.run(operation.journal, seq, operation.text);
        return seq;
      }
      case "truncate":
        // The greatest number may be among what goes, and must not be given again.
        keepLast.run(operation.journal, this.#lastSeq(operation.journal));
        truncate.run(operation.journal, operation.before);
        return undefined;
    }
  }

  #lastSeq(journal: string): number {
    return this.#integer(this.#statements.lastSeq.get(journal)?.last);
  }

  /** Runs `work`; what SQLite throws undoes the transaction, and ends the driver if it must. */
  #guard<Result>(work: () => Result): Result {
    if (this.#stopped) {
      throw new StoreError(
        this.#stopped.code,
        `the store at ${this.#path} stopped after an error; close it and open it again`,
        { cause: this.#stopped },
      );
    }
    try {
      return work();
    } catch (thrown) {
      const failure = sqliteFailure(thrown, this.#path);
      const error = failure?.error ?? thrown;
      if (failure ? !failure.usable : error instanceof StoreError) this.#stop(error);
      else this.#rollback();
      throw error;
    }
  }

  #rollback(): void {
    try {
      // Some errors end the transaction by themselves.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
    } catch (thrown) {
      this.#stop(sqliteFailure(thrown, this.#path)?.error ?? thrown);
    }
  }

  #stop(error: unknown): void {
    this.#stopped =
      error instanceof StoreError
        ? error
        : new StoreError("ERR_STORE_IO", `the store at ${this.#path} failed`, { cause: error });
    this.#logger.error({ path: this.#path, error: this.#stopped }, "the store stopped");
    try {
      this.close();
    } catch {
      // The error that stopped the store is the one to tell; the handle goes with the process.
    }
    this.#told.resolve(this.#stopped);
  }

  #text(value: SQLOutputValue | undefined): string {
    if (typeof value === "string") return value;
    throw new StoreError("ERR_STORE_CORRUPT", corruptMessage(this.#path, "a text is none"));
  }

  #integer(value: SQLOutputValue | undefined): number {
    if (typeof value === "number") return value;
    throw new StoreError("ERR_STORE_CORRUPT", corruptMessage(this.#path, "a number is none"));
  }
}

type Statements = Readonly<Record<keyof typeof sql, StatementSync>>;

const sql = {
  begin: "BEGIN IMMEDIATE",
  commit: "COMMIT",
  get: "SELECT value FROM document WHERE collection = ? AND key = ?",
  list: "SELECT key, value FROM document WHERE collection = ? ORDER BY key",
  read: "SELECT seq, value FROM record WHERE journal = ? AND seq > ? ORDER BY seq LIMIT ?",
  put: "INSERT OR REPLACE INTO document (collection, key, value) VALUES (?, ?, ?)",
  remove: "DELETE FROM document WHERE collection = ? AND key = ?",
  append: "INSERT INTO record (journal, seq, value) VALUES (?, ?, ?)",
  lastSeq: `SELECT max(
    coalesce((SELECT max(seq) FROM record WHERE journal = ?1), 0),
    coalesce((SELECT last FROM journal WHERE name = ?1), 0)
  ) AS last`,
  keepLast: "INSERT OR REPLACE INTO journal (name, last) VALUES (?, ?)",
  truncate: "DELETE FROM record WHERE journal = ? AND seq < ?",
} as const;

function prepareStatements(database: DatabaseSync): Statements {
  const prepare = (name: keyof typeof sql): StatementSync => database.prepare(sql[name]);
  return {
    begin: prepare("begin"),
    commit: prepare("commit"),
    get: prepare("get"),
    list: prepare("list"),
    read: prepare("read"),
    put: prepare("put"),
    remove: prepare("remove"),
    append: prepare("append"),
    lastSeq: prepare("lastSeq"),
    keepLast: prepare("keepLast"),
    truncate: prepare("truncate"),
  };
}
