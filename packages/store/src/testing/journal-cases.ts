import assert from "node:assert/strict";
import { append, put, truncate } from "../change.ts";
import type { Journal } from "../store.ts";
import { anything, invalid, robots, type StoreCase, steps } from "./fixtures.ts";

/** Records are numbered, read in parts, and dropped from the front. */
export const journalCases: readonly StoreCase[] = [
  {
    name: "records get numbers from 1 on, each journal its own, told in the order of the changes",
    async run(open) {
      await using store = await open();
      const other: Journal<unknown> = { name: "other", schema: anything };
      const first = await store.write([
        append(steps, { wheels: 1 }),
        append(other, "x"),
        put(robots, "a", { wheels: 0 }),
        append(steps, { wheels: 2 }),
      ]);
      assert.deepEqual(first.seqs, [1, 1, 2]);
      assert.deepEqual((await store.write([append(steps, { wheels: 3 })])).seqs, [3]);
      assert.deepEqual(await store.read(steps), [
        { seq: 1, record: { wheels: 1 } },
        { seq: 2, record: { wheels: 2 } },
        { seq: 3, record: { wheels: 3 } },
      ]);
    },
  },
  {
    name: "a journal is read from a number on, and no more than asked",
    async run(open) {
      await using store = await open();
      await store.write([1, 2, 3, 4, 5].map((wheels) => append(steps, { wheels })));
      const seqs = async (options: { after?: number; limit?: number }): Promise<number[]> =>
        (await store.read(steps, options)).map(({ seq }) => seq);
      assert.deepEqual(await seqs({ after: 3 }), [4, 5]);
      assert.deepEqual(await seqs({ after: 1, limit: 2 }), [2, 3]);
      assert.deepEqual(await seqs({ limit: 1 }), [1]);
      assert.deepEqual(await seqs({ after: 5 }), []);
      assert.deepEqual(await seqs({ after: Number.MAX_SAFE_INTEGER }), []);
      for (const options of [{ after: -1 }, { after: 0.5 }, { limit: 0 }, { limit: Number.NaN }]) {
        await assert.rejects(store.read(steps, options), invalid);
      }
    },
  },
  {
    name: "a truncated journal goes on counting, even when none is left and it is opened again",
    async run(open) {
      {
        await using store = await open();
        await store.write([1, 2, 3].map((wheels) => append(steps, { wheels })));
        await store.write([truncate(steps, 3)]);
        assert.deepEqual(await store.read(steps), [{ seq: 3, record: { wheels: 3 } }]);
        await store.write([truncate(steps, 1_000)]);
        assert.deepEqual(await store.read(steps), []);
      }
      await using store = await open();
      assert.deepEqual((await store.write([append(steps, { wheels: 4 })])).seqs, [4]);
      const both = [append(steps, { wheels: 5 }), truncate(steps, 6), append(steps, { wheels: 6 })];
      assert.deepEqual((await store.write(both)).seqs, [5, 6]);
      assert.deepEqual(await store.read(steps), [{ seq: 6, record: { wheels: 6 } }]);
    },
  },
  {
    name: "a truncate of nothing drops nothing",
    async run(open) {
      await using store = await open();
      await store.write([truncate(steps, 10)]);
      assert.deepEqual((await store.write([append(steps, { wheels: 1 })])).seqs, [1]);
      await store.write([truncate(steps, 0), truncate(steps, 1)]);
      assert.equal((await store.read(steps)).length, 1);
      await assert.rejects(store.write([truncate(steps, -1)]), invalid);
      await assert.rejects(store.write([truncate(steps, Number.NaN)]), invalid);
    },
  },
];
