import assert from "node:assert/strict";
import { append, put, remove, truncate } from "../change.ts";
import type { Change } from "../store.ts";
import { closed, invalid, loose, looseSteps, robots, type StoreCase, steps } from "./fixtures.ts";

/** Writes are whole and in order; one store at a time; the end. */
export const orderCases: readonly StoreCase[] = [
  {
    name: "a write with one bad change does nothing at all",
    async run(open) {
      await using store = await open();
      await store.write([put(robots, "a", { wheels: 4 }), append(steps, { wheels: 1 })]);
      const good: readonly Change[] = [
        put(robots, "a", { wheels: 5 }),
        remove(robots, "a"),
        append(steps, { wheels: 2 }),
        truncate(steps, 2),
      ];
      // Refused by the schema, and refused because it is no JSON.
      for (const bad of [undefined, "no wheels"]) {
        const change: Change = { put: robots, key: "b", value: bad };
        await assert.rejects(store.write([...good, change]), invalid);
      }
      assert.deepEqual(await store.list(robots), [{ key: "a", value: { wheels: 4 } }]);
      assert.deepEqual(await store.read(steps), [{ seq: 1, record: { wheels: 1 } }]);
      assert.deepEqual((await store.write([append(steps, { wheels: 2 })])).seqs, [2]);
    },
  },
  {
    name: "a write of no changes does nothing",
    async run(open) {
      await using store = await open();
      assert.deepEqual(await store.write([]), { seqs: [] });
    },
  },
  {
    name: "calls take effect in the order in which they were made, waited for or not",
    async run(open) {
      await using store = await open();
      const count = 50;
      const writes = Array.from({ length: count }, (_, wheels) =>
        store.write([append(wheels % 2 ? steps : looseSteps, { wheels }), put(loose, "k", wheels)]),
      );
      const seen = store.get(loose, "k");
      writes.push(store.write([put(loose, "k", "later")]));
      assert.equal(await seen, count - 1);
      assert.deepEqual(
        (await Promise.all(writes)).flatMap(({ seqs }) => seqs),
        Array.from({ length: count }, (_, index) => index + 1),
      );
      assert.deepEqual(
        (await store.read(steps)).map(({ record }) => record.wheels),
        Array.from({ length: count }, (_, index) => index),
      );
    },
  },
  {
    name: "a write that fails does not hold up the next",
    async run(open) {
      await using store = await open();
      const bad = store.write([{ put: robots, key: "a", value: "no wheels" }]);
      const good = store.write([put(robots, "a", { wheels: 4 })]);
      await assert.rejects(bad, invalid);
      await good;
      assert.deepEqual(await store.get(robots, "a"), { wheels: 4 });
    },
  },
  {
    name: "one place is open in one store at a time",
    async run(open) {
      const first = await open();
      await assert.rejects(async () => open(), { code: "ERR_STORE_LOCKED" });
      await first.write([put(robots, "a", { wheels: 4 })]);
      await first[Symbol.asyncDispose]();
      await using second = await open();
      assert.deepEqual(await second.get(robots, "a"), { wheels: 4 });
    },
  },
  {
    name: "dispose lets calls end that were made, refuses those that come later, and may be repeated",
    async run(open) {
      const store = await open();
      const write = store.write([put(robots, "a", { wheels: 4 })]);
      const dispose = store[Symbol.asyncDispose]();
      const late = store.get(robots, "a");
      await assert.rejects(late, closed);
      assert.deepEqual(await write, { seqs: [] });
      await dispose;
      await store[Symbol.asyncDispose]();
      await assert.rejects(store.list(robots), closed);
      await assert.rejects(store.read(steps), closed);
      await assert.rejects(store.write([put(robots, "b", { wheels: 4 })]), closed);
      await using again = await open();
      assert.equal((await again.list(robots)).length, 1);
    },
  },
];
