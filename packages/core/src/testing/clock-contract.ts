import assert from "node:assert/strict";
import type { Clock } from "../clock.ts";

/** One rule that every clock keeps. */
export interface ClockCase {
  readonly name: string;
  /** `pass(ms)` lets at least that much time go by on the clock. */
  run(clock: Clock, pass: (ms: number) => Promise<void>): Promise<void>;
}

/** What a {@link Clock} promises, as cases that any implementation can run. */
export const clockContract: readonly ClockCase[] = [
  {
    name: "monotonic time goes forward with sleep, and never less than was asked",
    async run(clock, pass) {
      const before = clock.monotonic();
      const slept = clock.sleep(20);
      await pass(20);
      await slept;
      assert.ok(clock.monotonic() - before >= 20);
    },
  },
  {
    name: "shorter sleeps end first",
    async run(clock, pass) {
      const order: number[] = [];
      const sleeps = [30, 10, 20].map((ms) => clock.sleep(ms).then(() => order.push(ms)));
      await pass(40);
      await Promise.all(sleeps);
      assert.deepEqual(order, [10, 20, 30]);
    },
  },
  {
    name: "an abort ends a sleep with the signal's reason",
    async run(clock) {
      const abort = new AbortController();
      const slept = clock.sleep(60_000, { signal: abort.signal });
      const reason = new Error("enough");
      abort.abort(reason);
      await assert.rejects(slept, reason);
      await assert.rejects(clock.sleep(1, { signal: abort.signal }), reason);
    },
  },
  {
    name: "a sleep of nothing returns",
    async run(clock) {
      await clock.sleep(0);
    },
  },
  {
    name: "a sleep longer than a timer can hold does not end at once",
    async run(clock, pass) {
      const abort = new AbortController();
      let woke = false;
      const slept = clock.sleep(2 ** 40, { signal: abort.signal }).then(
        () => {
          woke = true;
        },
        () => {}, // aborted below
      );
      await pass(5);
      assert.equal(woke, false);
      abort.abort();
      await slept;
    },
  },
];
