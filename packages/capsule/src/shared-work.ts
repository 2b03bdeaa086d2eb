import { untilAborted } from "@roboticks/core";

/** What {@link SharedWork} does for all who wait for one key. */
export type Work<Result, Progress> = (options: {
  readonly signal: AbortSignal;
  readonly onProgress: (progress: Progress) => void;
}) => Promise<Result>;

interface Job<Result, Progress> {
  readonly result: Promise<Result>;
  readonly abort: AbortController;
  readonly listeners: Set<(progress: Progress) => void>;
  waiting: number;
}

/**
 * Work that several callers wait for together: the first begins it, the others join. Each may
 * stop waiting on its own; once nobody waits any more the work is aborted.
 */
export class SharedWork<Key, Result, Progress> {
  readonly #jobs = new Map<Key, Job<Result, Progress>>();

  /**
   * @throws what `work` threw
   * @throws `signal.reason` once `signal` is aborted
   */
  async run(
    key: Key,
    work: Work<Result, Progress>,
    {
      signal,
      onProgress,
    }: {
      readonly signal?: AbortSignal;
      readonly onProgress: (progress: Progress) => void;
    },
  ): Promise<Result> {
    signal?.throwIfAborted();
    for (let leaving = this.#leaving(key); leaving; leaving = this.#leaving(key)) {
      await untilAborted(leaving, signal);
    }
    // Nothing is awaited from that check to `waiting++`, or the last who waits could leave between.
    const job = this.#jobs.get(key) ?? this.#begin(key, work);
    job.waiting++;
    job.listeners.add(onProgress);
    try {
      return await untilAborted(job.result, signal);
    } finally {
      job.listeners.delete(onProgress);
      if (--job.waiting === 0) job.abort.abort();
    }
  }

  /** Aborts all work and resolves when it has ended. */
  async end(reason: Error): Promise<void> {
    const jobs = [...this.#jobs.values()];
    for (const { abort } of jobs) abort.abort(reason);
    await Promise.allSettled(jobs.map(({ result }) => result));
  }

  /** Work that was given up still clears away what it made; the next begins after that. */
  #leaving(key: Key): Promise<void> | undefined {
    const job = this.#jobs.get(key);
    if (!job?.abort.signal.aborted) return undefined;
    return job.result.then(
      () => {},
      () => {}, // whoever waited for it has heard
    );
  }

  #begin(key: Key, work: Work<Result, Progress>): Job<Result, Progress> {
    const abort = new AbortController();
    const listeners = new Set<(progress: Progress) => void>();
    const onProgress = (progress: Progress): void => {
      for (const listener of listeners) listener(progress);
    };
    const result = work({ signal: abort.signal, onProgress }).finally(() => this.#jobs.delete(key));
    result.catch(() => {}); // those who still wait hear it; with nobody left it harms nobody
    const job = { result, abort, listeners, waiting: 0 };
    this.#jobs.set(key, job);
    return job;
  }
}
