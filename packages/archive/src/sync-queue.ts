import { close, fsync } from "node:fs";
import { promisify } from "node:util";

const syncFile = promisify(fsync);
const closeFile = promisify(close);

/**
 * Makes written files durable while the next ones are being written. Waits when too many are
 * under way, so that neither descriptors nor unwritten pages pile up.
 */
export class SyncQueue {
  readonly #most: number;
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly error: unknown } | undefined;

  /** @param most files that are synced at the same time */
  constructor(most: number) {
    this.#most = most;
  }

  /**
   * Takes over `descriptor`: syncs it, then closes it.
   *
   * @throws what an earlier file's sync threw. It is never tried again: after a failed fsync
   * nobody knows what the disk has.
   */
  async add(descriptor: number): Promise<void> {
    const task = this.#sync(descriptor);
    this.#running.add(task);
    task.finally(() => this.#running.delete(task)).catch(() => {}); // #sync never rejects
    while (this.#running.size >= this.#most) await Promise.race(this.#running);
    this.#throwFailure();
  }

  /** Waits for all; after it no descriptor is open. @throws what a sync threw */
  async settle(): Promise<void> {
    await Promise.all(this.#running);
    this.#throwFailure();
  }

  async #sync(descriptor: number): Promise<void> {
    try {
      await syncFile(descriptor);
    } catch (error) {
      this.#failure ??= { error };
    } finally {
      await closeFile(descriptor).catch(() => {}); // nothing is lost: the sync has told
    }
  }

  #throwFailure(): void {
    if (this.#failure) throw this.#failure.error;
  }
}
