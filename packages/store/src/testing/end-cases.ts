import assert from "node:assert/strict";
import { put } from "../change.ts";
import { closed, invalid, robots, type StoreCase } from "./fixtures.ts";

/** What a store says of its own end. */
export const endCases: readonly StoreCase[] = [
  {
    name: "it has not stopped while it works, refuses a value, or is disposed",
    async run(open) {
      const store = await open();
      // The first of the two that is settled, in this order.
      const stopped = () => Promise.race([store.stopped, Promise.resolve("it has not")]);
      await store.write([put(robots, "a", { wheels: 4 })]);
      assert.equal(await stopped(), "it has not");
      await assert.rejects(store.write([{ put: robots, key: "a", value: "no wheels" }]), invalid);
      assert.equal(await stopped(), "it has not");
      await store[Symbol.asyncDispose]();
      await assert.rejects(store.get(robots, "a"), closed);
      assert.equal(await stopped(), "it has not");
    },
  },
];
