import assert from "node:assert/strict";
import { append, put, remove } from "../change.ts";
import type { Collection, Journal } from "../store.ts";
import { anything, loose, robots, type StoreCase, steps } from "./fixtures.ts";

/** Documents are kept by name and key. */
export const documentCases: readonly StoreCase[] = [
  {
    name: "a document is read back as it was put, replaced, and removed",
    async run(open) {
      await using store = await open();
      assert.equal(await store.get(robots, "a"), undefined);
      await store.write([put(robots, "a", { wheels: 4, note: "ü\n\u{1f916}" })]);
      assert.deepEqual(await store.get(robots, "a"), { wheels: 4, note: "ü\n\u{1f916}" });
      await store.write([put(robots, "a", { wheels: 6 })]);
      assert.deepEqual(await store.get(robots, "a"), { wheels: 6 });
      await store.write([remove(robots, "a"), remove(robots, "never there")]);
      assert.equal(await store.get(robots, "a"), undefined);
    },
  },
  {
    name: "a list is in the order of the keys' code points",
    async run(open) {
      await using store = await open();
      const keys = ["b", "a", "\u{1f916}", "\uffee", "B", "a/b", "10", "9", "constructor"];
      await store.write(keys.map((key, wheels) => put(robots, key, { wheels })));
      const listed = await store.list(robots);
      assert.deepEqual(
        listed.map(({ key }) => key),
        ["10", "9", "B", "a", "a/b", "b", "constructor", "\uffee", "\u{1f916}"],
      );
      assert.deepEqual(listed[3], { key: "a", value: { wheels: 1 } });
    },
  },
  {
    name: "collections and journals of one name are apart, and so are two names",
    async run(open) {
      await using store = await open();
      const journal: Journal<unknown> = { name: loose.name, schema: anything };
      const other: Collection<unknown> = { name: "other", schema: anything };
      await store.write([put(loose, "k", 1), append(journal, 2), put(other, "k", 3)]);
      assert.equal(await store.get(loose, "k"), 1);
      assert.deepEqual(await store.read(journal), [{ seq: 1, record: 2 }]);
      assert.deepEqual(await store.list(other), [{ key: "k", value: 3 }]);
    },
  },
  {
    name: "what was written is there when it is opened again",
    async run(open) {
      {
        await using store = await open();
        await store.write([put(robots, "a", { wheels: 4 }), append(steps, { wheels: 1 })]);
      }
      await using store = await open();
      assert.deepEqual(await store.get(robots, "a"), { wheels: 4 });
      assert.deepEqual(await store.read(steps), [{ seq: 1, record: { wheels: 1 } }]);
    },
  },
];
