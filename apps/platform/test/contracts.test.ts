import { mkdtemp, readdir, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { FileBlobs, MemoryBlobs, MemoryState, openSqliteState } from "../src/index.ts";
import { blobContract, stateContract } from "../src/testing/index.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "platform-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("memory state", () => {
  test.for(stateContract)("$name", async ({ run }) => {
    const state = new MemoryState();
    await expect(run(state, async () => state)).resolves.toBeUndefined();
  });
});

describe("sqlite state", () => {
  test.for(stateContract)("$name", async ({ run }) => {
    const path = join(folder, "platform.db");
    let state = await openSqliteState({ path });
    const reopen = async () => {
      await state[Symbol.asyncDispose]();
      state = await openSqliteState({ path });
      return state;
    };
    await expect(run(state, reopen)).resolves.toBeUndefined();
    await state[Symbol.asyncDispose]();
    await state[Symbol.asyncDispose](); // twice does no harm
  });

  test("a second opener is told at once, and gets it when the first has gone", async () => {
    const path = join(folder, "platform.db");
    const first = await openSqliteState({ path });
    await expect(openSqliteState({ path })).rejects.toMatchObject({ code: "ERR_PLATFORM_LOCKED" });
    await first[Symbol.asyncDispose]();
    await using second = await openSqliteState({ path });
    expect(await second.listDevices()).toEqual([]);
  });

  test("its files are for their owner alone", async () => {
    await using state = await openSqliteState({ path: join(folder, "platform.db") });
    await state.setLastSeen("nobody", 1);
    for (const name of await readdir(folder)) {
      expect((await stat(join(folder, name))).mode & 0o777, name).toBe(0o600);
    }
  });

  test("a file that is no database is refused and left alone", async () => {
    const path = join(folder, "platform.db");
    await writeFile(path, "not a database, but quite a long text".repeat(100));
    await expect(openSqliteState({ path })).rejects.toMatchObject({ code: "ERR_PLATFORM_STATE" });
    expect((await stat(path)).size).toBe(3_700);
  });

  test("a newer schema is refused", async () => {
    const path = join(folder, "platform.db");
    const database = new DatabaseSync(path);
    database.exec("PRAGMA user_version = 999");
    database.close();
    await expect(openSqliteState({ path })).rejects.toMatchObject({
      code: "ERR_PLATFORM_STATE_NEWER",
    });
  });
});

describe("memory blobs", () => {
  test.for(blobContract)("$name", async ({ run }) => {
    await expect(run(new MemoryBlobs())).resolves.toBeUndefined();
  });
});

describe("file blobs", () => {
  test.for(blobContract)("$name", async ({ run }) => {
    const blobs = await FileBlobs.open({ root: folder });
    await expect(run(blobs)).resolves.toBeUndefined();
    expect(await readdir(join(folder, "incoming"))).toEqual([]);
  });

  test("what an earlier process left half is dropped at the start", async () => {
    await FileBlobs.open({ root: folder });
    await writeFile(join(folder, "incoming", "abc"), "half");
    await FileBlobs.open({ root: folder });
    expect(await readdir(join(folder, "incoming"))).toEqual([]);
  });
});
