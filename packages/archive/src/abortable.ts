import { untilAborted } from "@roboticks/core";

/**
 * The same as `source`, but a wait for its next value ends as soon as `signal` is aborted, also
 * where the source itself hangs and does not know of the signal.
 *
 * @throws `signal.reason` once `signal` is aborted
 */
export async function* abortable<Value>(
  source: AsyncIterable<Value>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Value, void, undefined> {
  const iterator = source[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { value, done } = await untilAborted(iterator.next(), signal);
      if (done) return;
      yield value;
    }
  } finally {
    // Not awaited: a source that hangs in `next` would keep us here as well.
    iterator.return?.().catch(() => {}); // we are through with it, and so is its failure
  }
}
