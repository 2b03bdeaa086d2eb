import type { Driver, Operation } from "./driver.ts";
import { StoreError } from "./errors.ts";
import { toJsonText } from "./json.ts";
import { conform, type StandardSchema } from "./schema.ts";
import type {
  Change,
  Collection,
  Entry,
  Journal,
  NumberedRecord,
  ReadOptions,
  Store,
  Written,
} from "./store.ts";

/** A change whose value became text at the call, and what it has yet to fit. */
interface Prepared {
  readonly operation: Operation;
  readonly fits?: { readonly schema: StandardSchema; readonly text: string; readonly what: string };
}

/** The store that every driver gets: order of calls, JSON, schemas, the end. */
export class DriverStore implements Store {
  readonly #driver: Driver;
  /** Ends when the last call so far has ended; never rejects. */
  #tail: Promise<unknown> = Promise.resolve();
  #disposed: Promise<void> | undefined;

  constructor(driver: Driver) {
    this.#driver = driver;
  }

  get stopped(): Promise<StoreError> {
    return this.#driver.stopped;
  }

  async get<T>(collection: Collection<T>, key: string): Promise<T | undefined> {
    checkName(collection.name, "the name of a collection");
    checkName(key, `a key of collection ${quote(collection.name)}`);
    const text = await this.#inTurn(() => this.#driver.get(collection.name, key));
    if (text === undefined) return undefined;
    return conform(collection.schema, parse(text), documentName(collection.name, key));
  }

  async list<T>({ name, schema }: Collection<T>): Promise<Entry<T>[]> {
    checkName(name, "the name of a collection");
    const rows = await this.#inTurn(() => this.#driver.list(name));
    const entries: Entry<T>[] = [];
    for (const { key, text } of rows) {
      entries.push({ key, value: await conform(schema, parse(text), documentName(name, key)) });
    }
    return entries;
  }

  async read<T>(
    { name, schema }: Journal<T>,
    { after = 0, limit }: ReadOptions = {},
  ): Promise<NumberedRecord<T>[]> {
    checkName(name, "the name of a journal");
    checkInteger(after, 0, `"after" of a read of journal ${quote(name)}`);
    if (limit !== undefined) checkInteger(limit, 1, `"limit" of a read of journal ${quote(name)}`);
    const rows = await this.#inTurn(() => this.#driver.read(name, after, limit));
    const records: NumberedRecord<T>[] = [];
    for (const { seq, text } of rows) {
      const what = `record ${seq} of journal ${quote(name)}`;
      records.push({ seq, record: await conform(schema, parse(text), what) });
    }
    return records;
  }

  async write(changes: readonly Change[]): Promise<Written> {
    const prepared = changes.map(prepare);
    return this.#inTurn(async () => {
      for (const { fits } of prepared) {
        if (fits) await conform(fits.schema, parse(fits.text), fits.what);
      }
      if (prepared.length === 0) return { seqs: [] };
      return { seqs: this.#driver.commit(prepared.map(({ operation }) => operation)) };
    });
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.#disposed ??= this.#inTurn(() => this.#driver.close());
    return this.#disposed;
  }

  /** Runs `work` when all calls before it have ended. */
  async #inTurn<Result>(work: () => Result | Promise<Result>): Promise<Result> {
    if (this.#disposed) {
      throw new StoreError("ERR_STORE_CLOSED", "the store was closed; open it again to use it");
    }
    const result = this.#tail.then(work);
    // A call that fails is its caller's matter; the next one goes ahead.
    this.#tail = result.catch(() => {});
    return result;
  }
}

function prepare(change: Change): Prepared {
  if ("put" in change) {
    const { put: collection, key, value } = change;
    checkName(collection.name, "the name of a collection");
    checkName(key, `a key of collection ${quote(collection.name)}`);
    const what = documentName(collection.name, key);
    const text = toJsonText(value, what);
    return {
      operation: { kind: "put", collection: collection.name, key, text },
      fits: { schema: collection.schema, text, what },
    };
  }
  if ("delete" in change) {
    const { delete: collection, key } = change;
    checkName(collection.name, "the name of a collection");
    checkName(key, `a key of collection ${quote(collection.name)}`);
    return { operation: { kind: "delete", collection: collection.name, key } };
  }
  if ("append" in change) {
    const { append: journal, record } = change;
    checkName(journal.name, "the name of a journal");
    const what = `a record for journal ${quote(journal.name)}`;
    const text = toJsonText(record, what);
    return {
      operation: { kind: "append", journal: journal.name, text },
      fits: { schema: journal.schema, text, what },
    };
  }
  const { truncate: journal, before } = change;
  checkName(journal.name, "the name of a journal");
  checkInteger(before, 0, `"before" of a truncate of journal ${quote(journal.name)}`);
  return { operation: { kind: "truncate", journal: journal.name, before } };
}

/** Half a surrogate pair and NUL do not survive every database, the empty text is a mistake. */
function checkName(name: string, what: string): void {
  if (name !== "" && !name.includes("\0") && name.isWellFormed()) return;
  throw new StoreError(
    "ERR_STORE_INVALID",
    `${what} must be text without NUL and half surrogate pairs, not ${quote(name)}`,
  );
}

function checkInteger(value: number, least: number, what: string): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new StoreError("ERR_STORE_INVALID", `${what} must be an integer ≥ ${least}, not ${value}`);
}

/** What a driver gives back; only a damaged disk makes it anything but JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new StoreError(
      "ERR_STORE_CORRUPT",
      "the store holds a value that is no JSON; restore it from a backup, or move it away",
      { cause },
    );
  }
}

function documentName(collection: string, key: string): string {
  return `document ${quote(key)} of collection ${quote(collection)}`;
}

function quote(text: string): string {
  return JSON.stringify(text);
}
