import type { StoreError } from "./errors.ts";
import type { StandardSchema } from "./schema.ts";

/**
 * A set of documents by key. Two collections of one name are the same documents; the name and
 * the schema are all there is to it, so it may be made anywhere and needs no opening.
 */
export interface Collection<T> {
  /** Any text but the empty one; journals and collections do not share names. */
  readonly name: string;
  /** What a document must fit, when it is written and when it is read. */
  readonly schema: StandardSchema<unknown, T>;
}

/** Records in the order in which they came, each with a number that is never given again. */
export interface Journal<T> {
  /** Any text but the empty one; journals and collections do not share names. */
  readonly name: string;
  /** What a record must fit, when it is written and when it is read. */
  readonly schema: StandardSchema<unknown, T>;
}

/** One change of a {@link Store.write}; made by `put`, `remove`, `append` and `truncate`. */
export type Change =
  | { readonly put: Collection<unknown>; readonly key: string; readonly value: unknown }
  | { readonly delete: Collection<unknown>; readonly key: string }
  | { readonly append: Journal<unknown>; readonly record: unknown }
  | { readonly truncate: Journal<unknown>; readonly before: number };

/** A document of a collection, with its key. */
export interface Entry<T> {
  readonly key: string;
  readonly value: T;
}

/** A record of a journal, with its number: 1, 2, … */
export interface NumberedRecord<T> {
  readonly seq: number;
  readonly record: T;
}

/** Which records {@link Store.read} gives. */
export interface ReadOptions {
  /** Only records with a greater number. An integer ≥ 0. Default 0: from the first that is left. */
  readonly after?: number;
  /** No more records than this. An integer ≥ 1. Default: all. */
  readonly limit?: number;
}

/** What a {@link Store.write} did. */
export interface Written {
  /** The numbers that its appends got, in the order of the changes. */
  readonly seqs: readonly number[];
}

/**
 * Durable documents and journals.
 *
 * Calls take effect in the order in which they were made: a `get` that follows a `write` sees
 * it, whether or not anyone waited in between. Values are JSON; what JSON cannot hold is
 * refused, never dropped.
 *
 * Every method rejects with a `StoreError`: `ERR_STORE_CLOSED` after dispose, `ERR_STORE_IO`
 * when the disk fails, `ERR_STORE_CORRUPT` when what it gives back cannot be right.
 */
export interface Store extends AsyncDisposable {
  /**
   * Resolves, with the error, once the store cannot be used any more because of the disk: every
   * later call rejects, until it is disposed and opened again. Never rejects. Never resolves for
   * a full disk, after which the store goes on, and not when it is disposed.
   */
  readonly stopped: Promise<StoreError>;

  /**
   * The document at `key`, or `undefined`.
   *
   * @throws {StoreError} `ERR_STORE_INVALID` where it does not fit the collection's schema
   */
  get<T>(collection: Collection<T>, key: string): Promise<T | undefined>;

  /**
   * All documents, by key in the order of its code points.
   *
   * @throws {StoreError} `ERR_STORE_INVALID` where one does not fit the collection's schema
   */
  list<T>(collection: Collection<T>): Promise<Entry<T>[]>;

  /**
   * Records in the order of their numbers.
   *
   * @throws {StoreError} `ERR_STORE_INVALID` where one does not fit the journal's schema
   */
  read<T>(journal: Journal<T>, options?: ReadOptions): Promise<NumberedRecord<T>[]>;

  /**
   * Makes all `changes`, in their order, or none. On disk once it resolves. Values are taken
   * as they are at the call: changing them afterwards changes nothing here.
   *
   * @throws {StoreError} `ERR_STORE_INVALID` for a value that is not JSON or does not fit its
   *   schema; nothing was written
   * @throws {StoreError} `ERR_STORE_IO` when the disk is full or fails; see the README for what
   *   is known then
   */
  write(changes: readonly Change[]): Promise<Written>;

  /** Lets calls that were made end, then closes. Idempotent. */
  [Symbol.asyncDispose](): Promise<void>;
}
