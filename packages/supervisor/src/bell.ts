import type { Clock } from "@roboticks/core";

/** Waits for something that may happen at any moment, also just before the waiting begins. */
export class Bell {
  #rung = false;
  #wake: (() => void) | undefined;

  /** It happened. */
  ring(): void {
    this.#rung = true;
    this.#wake?.();
  }

  /** Resolves once it happened since the last time, or after `ms`. One waits at a time. */
  async wait(clock: Clock, ms: number): Promise<void> {
    if (!this.#rung) {
      const awake = new AbortController();
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
        // The sleep is aborted when the bell rang first.
        clock.sleep(ms, { signal: awake.signal }).then(resolve, resolve);
      });
      awake.abort();
      this.#wake = undefined;
    }
    this.#rung = false;
  }
}
