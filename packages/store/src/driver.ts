import type { StoreError } from "./errors.ts";

/** A change whose value was checked and made into text. */
export type Operation =
  | {
      readonly kind: "put";
      readonly collection: string;
      readonly key: string;
      readonly text: string;
    }
  | { readonly kind: "delete"; readonly collection: string; readonly key: string }
  | { readonly kind: "append"; readonly journal: string; readonly text: string }
  | { readonly kind: "truncate"; readonly journal: string; readonly before: number };

/**
 * Where texts are kept. Synchronous, and called by one caller at a time: order, schemas and the
 * closed state are settled above it. Throws `StoreError`.
 */
export interface Driver {
  /** See `Store.stopped`. */
  readonly stopped: Promise<StoreError>;
  get(collection: string, key: string): string | undefined;
  /** By key, in the order of code points. */
  list(collection: string): { readonly key: string; readonly text: string }[];
  /** By number. */
  read(
    journal: string,
    after: number,
    limit: number | undefined,
  ): { readonly seq: number; readonly text: string }[];
  /** All or nothing, durable once it returns; gives the numbers of the appends. */
  commit(operations: readonly Operation[]): number[];
  close(): void;
}
