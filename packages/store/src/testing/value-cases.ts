import assert from "node:assert/strict";
import { append, put, remove } from "../change.ts";
import type { Collection } from "../store.ts";
import { anything, invalid, loose, looseSteps, robots, type StoreCase, steps } from "./fixtures.ts";

/** What a value, a key and a schema may be. */
export const valueCases: readonly StoreCase[] = [
  {
    name: "what JSON would drop or change is refused",
    async run(open) {
      await using store = await open();
      const circular: { self?: unknown } = {};
      circular.self = circular;
      const values: readonly unknown[] = [
        undefined,
        Number.NaN,
        Number.POSITIVE_INFINITY,
        1n,
        () => 1,
        Symbol("s"),
        "\ud800",
        new Date(0),
        new Map([[1, 2]]),
        new Uint8Array(2),
        new Array(2),
        circular,
        { a: [{ b: undefined }] },
        { [Symbol("s")]: 1 },
        { "\udc00": 1 },
        JSON.parse('{"__proto__": 1}'),
      ];
      for (const value of values) {
        await assert.rejects(store.write([put(loose, "k", value)]), invalid);
        await assert.rejects(store.write([append(looseSteps, value)]), invalid);
      }
      assert.deepEqual(await store.list(loose), []);
      assert.deepEqual(await store.read(looseSteps), []);
    },
  },
  {
    name: "every JSON value is kept",
    async run(open) {
      await using store = await open();
      const values: readonly unknown[] = [
        null,
        true,
        0,
        -1.5e-7,
        2 ** 53,
        "",
        '\0\u2028"\\',
        [],
        {},
        { a: [null, { "": false }] },
        Object.assign(Object.create(null), { a: 1 }),
      ];
      for (const value of values) {
        await store.write([put(loose, "k", value)]);
        assert.deepEqual(await store.get(loose, "k"), JSON.parse(JSON.stringify(value)));
      }
    },
  },
  {
    name: "what no longer fits its schema is refused by name when it is read",
    async run(open) {
      await using store = await open();
      await store.write([put(loose, "old", "no wheels"), append(looseSteps, "no wheels")]);
      const names = { ...invalid, message: /"old".*"robots".*wheels: expected a number/ };
      await assert.rejects(store.get(robots, "old"), names);
      await assert.rejects(store.list(robots), names);
      await assert.rejects(store.read(steps), { ...invalid, message: /record 1 .*"steps"/ });
    },
  },
  {
    name: "what the schema makes of a value is what is read",
    async run(open) {
      await using store = await open();
      const upgraded: Collection<{ readonly wheels: number; readonly legs: number }> = {
        name: "robots",
        schema: {
          "~standard": {
            version: 1,
            vendor: "roboticks",
            validate: (value) => ({ value: { wheels: 0, legs: 2, ...Object(value) } }),
          },
        },
      };
      await store.write([put(robots, "a", { wheels: 4 })]);
      assert.deepEqual(await store.get(upgraded, "a"), { wheels: 4, legs: 2 });
    },
  },
  {
    name: "names and keys that a database could mangle are refused",
    async run(open) {
      await using store = await open();
      for (const name of ["", "a\0b", "\ud800"]) {
        await assert.rejects(store.write([put(loose, name, 1)]), invalid);
        await assert.rejects(store.write([remove(loose, name)]), invalid);
        await assert.rejects(store.get(loose, name), invalid);
        await assert.rejects(store.list({ name, schema: anything }), invalid);
        await assert.rejects(store.read({ name, schema: anything }), invalid);
        await assert.rejects(store.write([append({ name, schema: anything }, 1)]), invalid);
      }
    },
  },
  {
    name: "a value is taken as it is at the call, and what is read is the reader's own",
    async run(open) {
      await using store = await open();
      const value = { wheels: 4 };
      const written = store.write([put(robots, "a", value)]);
      value.wheels = 5;
      await written;
      const read = await store.get(loose, "a");
      assert.deepEqual(read, { wheels: 4 });
      Object.assign(Object(read), { wheels: 6 });
      assert.deepEqual(await store.get(robots, "a"), { wheels: 4 });
    },
  },
];
