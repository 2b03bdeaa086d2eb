import type { Change, Collection, Journal } from "./store.ts";

/** Sets the document at `key`, whether or not there was one. */
export function put<T>(collection: Collection<T>, key: string, value: NoInfer<T>): Change {
  return { put: collection, key, value };
}

/** Removes the document at `key`; nothing happens where there is none. */
export function remove<T>(collection: Collection<T>, key: string): Change {
  return { delete: collection, key };
}

/** Adds `record` at the end of `journal`. */
export function append<T>(journal: Journal<T>, record: NoInfer<T>): Change {
  return { append: journal, record };
}

/**
 * Drops the records of `journal` with a number less than `before` (an integer ≥ 0). Numbers go
 * on where they were, even if none is left.
 */
export function truncate<T>(journal: Journal<T>, before: number): Change {
  return { truncate: journal, before };
}
