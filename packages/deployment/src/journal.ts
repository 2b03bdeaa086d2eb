import {
  append,
  type Change,
  type Collection,
  type Journal,
  put,
  type Store,
  truncate,
} from "@roboticks/store";
import * as z from "zod";
import { type Event, emptyState, eventSchema, evolve, type State, stateSchema } from "./state.ts";

const events: Journal<Event> = { name: "deployment-events", schema: eventSchema };

const snapshotSchema = z.object({ seq: z.int(), state: stateSchema });
const snapshots: Collection<z.output<typeof snapshotSchema>> = {
  name: "deployment",
  schema: snapshotSchema,
};
const snapshotKey = "state";

/** After so many events the state is written whole and they are dropped. */
const compactAfter = 64;

/**
 * The state of deployments as the sum of what happened. An event is on disk before it counts:
 * {@link StateJournal.record} resolves once it is, and only then does `state` show it.
 */
export class StateJournal {
  readonly #store: Store;
  #state: State;
  #seq: number;
  #sinceSnapshot: number;
  #last: Promise<unknown> = Promise.resolve();

  private constructor(store: Store, state: State, seq: number, sinceSnapshot: number) {
    this.#store = store;
    this.#state = state;
    this.#seq = seq;
    this.#sinceSnapshot = sinceSnapshot;
  }

  /** Reads what is there: the last snapshot and the events since. */
  static async open(store: Store): Promise<StateJournal> {
    const snapshot = (await store.get(snapshots, snapshotKey)) ?? { seq: 0, state: emptyState };
    const records = await store.read(events, { after: snapshot.seq });
    const state = records.reduce((sum, { record }) => evolve(sum, record), snapshot.state);
    return new StateJournal(store, state, records.at(-1)?.seq ?? snapshot.seq, records.length);
  }

  get state(): State {
    return this.#state;
  }

  /**
   * Writes `event` and what belongs to it (`also`: reports) in one commit. Calls take effect in
   * their order; `decide` sees the state that all earlier ones left and may decline.
   *
   * @returns what `decide` gave
   */
  record<Decision extends { readonly event?: Event; readonly also?: readonly Change[] }>(
    decide: (state: State) => Decision,
  ): Promise<Decision> {
    const turn = this.#last.then(async () => {
      const decision = decide(this.#state);
      if (decision.event) await this.#commit(decision.event, decision.also ?? []);
      else if (decision.also) await this.#store.write(decision.also);
      return decision;
    });
    this.#last = turn.catch(() => {}); // the caller hears of it; the next in line goes on
    return turn;
  }

  async #commit(event: Event, also: readonly Change[]): Promise<void> {
    const state = evolve(this.#state, event);
    const compact: Change[] =
      this.#sinceSnapshot + 1 >= compactAfter
        ? [
            put(snapshots, snapshotKey, { seq: this.#seq + 1, state }),
            truncate(events, this.#seq + 2),
          ]
        : [];
    const { seqs } = await this.#store.write([append(events, event), ...also, ...compact]);
    this.#state = state;
    this.#seq = seqs[0] ?? this.#seq + 1;
    this.#sinceSnapshot = compact.length > 0 ? 0 : this.#sinceSnapshot + 1;
  }
}
