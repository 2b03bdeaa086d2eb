import { describe, expect, expectTypeOf, it } from "vitest";
import { append, openMemoryStore, put } from "../src/index.ts";
import { documents, type Note, records } from "./fixtures/notes.ts";

describe("types", () => {
  it("follow from the schema, and a change that does not fit does not compile", async () => {
    await using store = openMemoryStore();
    const note = { batch: 1, padding: "" };
    // @ts-expect-error: no padding
    await expect(store.write([put(documents, "a", { batch: 1 })])).rejects.toThrow("padding");
    // @ts-expect-error: the batch is a number
    const wrong = append(records, { ...note, batch: "1" });
    await expect(store.write([wrong])).rejects.toMatchObject({ code: "ERR_STORE_INVALID" });
    await store.write([put(documents, "a", note), append(records, note)]);
    const read = await store.get(documents, "a");
    expectTypeOf(read).toEqualTypeOf<Note | undefined>();
    expect(read).toEqual(note);
    const inline = await store.get({ name: "documents", schema: documents.schema }, "a");
    expectTypeOf(inline).toEqualTypeOf<Note | undefined>();
    expect(inline).toEqual(note);
  });
});
