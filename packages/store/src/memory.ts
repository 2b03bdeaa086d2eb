import type { Driver, Operation } from "./driver.ts";
import { DriverStore } from "./driver-store.ts";
import { StoreError } from "./errors.ts";
import type { Store } from "./store.ts";

/** A journal of {@link MemoryData}. */
export interface MemoryJournal {
  /** The number that was given last; 0 before the first. */
  last: number;
  rows: { readonly seq: number; readonly text: string }[];
}

/** What a memory store keeps, so that a test can close a store and open it again. */
export class MemoryData {
  /** Documents as JSON text, by key, by name of the collection. */
  readonly collections = new Map<string, Map<string, string>>();
  /** Records as JSON text, by name of the journal. */
  readonly journals = new Map<string, MemoryJournal>();
  /** Whether a store has this data now. */
  open = false;
}

/** Options of {@link openMemoryStore}. */
export interface MemoryStoreOptions {
  /** What is kept from one store to the next. Default: new and empty. */
  readonly data?: MemoryData;
}

/**
 * A store that is gone with the process; for tests and for trying things. Behaves as the
 * SQLite one does, its checks included.
 *
 * @throws {StoreError} `ERR_STORE_LOCKED` while another store has `data`
 */
export function openMemoryStore({ data = new MemoryData() }: MemoryStoreOptions = {}): Store {
  if (data.open) {
    throw new StoreError("ERR_STORE_LOCKED", "this data is open in another store; close it first");
  }
  data.open = true;
  return new DriverStore(new MemoryDriver(data));
}

class MemoryDriver implements Driver {
  /** Memory does not fail. */
  readonly stopped = new Promise<StoreError>(() => {});
  readonly #data: MemoryData;

  constructor(data: MemoryData) {
    this.#data = data;
  }

  get(collection: string, key: string): string | undefined {
    return this.#data.collections.get(collection)?.get(key);
  }

  list(collection: string): { readonly key: string; readonly text: string }[] {
    const entries = [...(this.#data.collections.get(collection) ?? [])];
    return entries
      .map(([key, text]) => ({ key, text, bytes: Buffer.from(key) }))
      .sort((a, b) => Buffer.compare(a.bytes, b.bytes)) // bytes of UTF-8 order as code points do
      .map(({ key, text }) => ({ key, text }));
  }

  read(
    journal: string,
    after: number,
    limit: number | undefined,
  ): { readonly seq: number; readonly text: string }[] {
    const rows = this.#data.journals.get(journal)?.rows ?? [];
    return rows.filter(({ seq }) => seq > after).slice(0, limit);
  }

  commit(operations: readonly Operation[]): number[] {
    const seqs: number[] = [];
    for (const operation of operations) {
      switch (operation.kind) {
        case "put":
          this.#collection(operation.collection).set(operation.key, operation.text);
          break;
        case "delete":
          this.#collection(operation.collection).delete(operation.key);
          break;
        case "append": {
          const journal = this.#journal(operation.journal);
          journal.rows.push({ seq: ++journal.last, text: operation.text });
          seqs.push(journal.last);
          break;
        }
        case "truncate": {
          const journal = this.#journal(operation.journal);
          journal.rows = journal.rows.filter(({ seq }) => seq >= operation.before);
          break;
        }
      }
    }
    return seqs;
  }

  close(): void {
    this.#data.open = false;
  }

  #collection(name: string): Map<string, string> {
    const collection = this.#data.collections.get(name) ?? new Map<string, string>();
    this.#data.collections.set(name, collection);
    return collection;
  }

  #journal(name: string): MemoryJournal {
    const journal = this.#data.journals.get(name) ?? { last: 0, rows: [] };
    this.#data.journals.set(name, journal);
    return journal;
  }
}
