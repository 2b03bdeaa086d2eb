import { type Logger, silentLogger } from "./logger.ts";

/** Hears one kind of event. What it throws is logged and harms nobody. */
export type Listener<Event> = (event: Event) => void;

/**
 * Changes of state, told to whoever listens. Managers *have* one of these, they are none:
 * their public `on` is `events.on`.
 *
 * @typeParam Map names (past tense) to payloads, e.g. `{ verdictChanged: { from, to } }`
 */
export class Events<Map extends object> {
  readonly #listeners = new globalThis.Map<keyof Map, Set<Listener<never>>>();
  readonly #logger: Logger;

  constructor({ logger = silentLogger }: { readonly logger?: Logger } = {}) {
    this.#logger = logger;
  }

  /** Calls `listener` at every `name` from now on, until the returned handle is disposed. */
  on<Name extends keyof Map>(name: Name, listener: Listener<Map[Name]>): Disposable {
    // A listener added twice is heard twice, and each handle ends its own.
    const entry: Listener<Map[Name]> = (event) => listener(event);
    const entries = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, entries.add(entry));
    return { [Symbol.dispose]: () => void entries.delete(entry) };
  }

  /** Tells all who listen to `name` now, in the order in which they came. */
  emit<Name extends keyof Map>(name: Name, event: Map[Name]): void {
    for (const listener of [...(this.#listeners.get(name) ?? [])]) {
      try {
        (listener as Listener<Map[Name]>)(event);
      } catch (error) {
        this.#logger.error({ event: String(name), error }, "an event listener threw");
      }
    }
  }
}
