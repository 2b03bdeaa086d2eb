import { chmod, copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { append, openSqliteStore, put } from "../src/index.ts";
import { wholeBatches } from "./fixtures/batches.ts";
import { documents, records } from "./fixtures/notes.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "store-"));
  path = join(folder, "agent.db");
});
afterEach(() => rm(folder, { recursive: true }));

const modeOf = async (file: string): Promise<number> => (await stat(file)).mode & 0o777;

async function writeBatches(to: string, count: number, paddingLength = 50): Promise<void> {
  await using store = await openSqliteStore({ path: to });
  for (let batch = 1; batch <= count; batch++) {
    const note = { batch, padding: "x".repeat(paddingLength) };
    await store.write([
      append(records, note),
      put(documents, `note-${batch}`, note),
      append(records, note),
    ]);
  }
}

describe("the files", () => {
  it("are for their owner alone, whatever the umask", async () => {
    const umask = process.umask(0);
    try {
      await using store = await openSqliteStore({ path });
      await store.write([put(documents, "a", { batch: 1, padding: "" })]);
      expect(await modeOf(path)).toBe(0o600);
      expect(await modeOf(`${path}-wal`)).toBe(0o600);
    } finally {
      process.umask(umask);
    }
  });

  it("are made so again when a store was copied back by others", async () => {
    await writeBatches(path, 1);
    await chmod(path, 0o644);
    await using store = await openSqliteStore({ path });
    await store.write([put(documents, "a", { batch: 1, padding: "" })]);
    expect(await modeOf(path)).toBe(0o600);
    expect(await modeOf(`${path}-wal`)).toBe(0o600);
  });

  it("are files, also under names that mean something to SQLite", async () => {
    const cwd = process.cwd();
    process.chdir(folder);
    try {
      await writeBatches(":memory:", 2);
      await using store = await openSqliteStore({ path: ":memory:" });
      expect(await wholeBatches(store)).toBe(2);
    } finally {
      process.chdir(cwd);
    }
  });
});

describe("what cannot be opened", () => {
  const corrupt = { code: "ERR_STORE_CORRUPT", message: expect.stringContaining("agent.db-wal") };

  it("is a file of another kind, which stays as it is", async () => {
    const garbage = "no database at all\n".repeat(1_000);
    await writeFile(path, garbage);
    await expect(openSqliteStore({ path })).rejects.toMatchObject(corrupt);
    expect(await readFile(path, "utf8")).toBe(garbage);
  });

  it("is a damaged store, wherever the damage is; it stays as it is", async () => {
    await writeBatches(path, 200);
    const whole = await readFile(path);
    const pages = whole.length / 4096;
    for (let page = 0; page < pages; page++) {
      const damaged = Buffer.from(whole);
      // The first page keeps its header, so that it still looks like a database.
      damaged.fill(0xa5, page * 4096 + (page === 0 ? 100 : 0), (page + 1) * 4096);
      await writeFile(path, damaged);
      await expect(openSqliteStore({ path }), `page ${page}`).rejects.toMatchObject(corrupt);
      expect((await readFile(path)).equals(damaged), `page ${page}`).toBe(true);
    }
    expect(pages).toBeGreaterThan(5);
  });

  it("is a store that lost its end", async () => {
    await writeBatches(path, 200);
    const whole = await readFile(path);
    await writeFile(path, whole.subarray(0, whole.length / 2));
    await expect(openSqliteStore({ path })).rejects.toMatchObject(corrupt);
  });

  it("is another program's database", async () => {
    const other = new DatabaseSync(path);
    other.exec("CREATE TABLE theirs (a)");
    other.close();
    const before = await readFile(path);
    await expect(openSqliteStore({ path })).rejects.toMatchObject({
      code: "ERR_STORE_CORRUPT",
      message: expect.stringContaining("another program"),
    });
    expect((await readFile(path)).equals(before)).toBe(true);
  });

  it("is a store of a later version", async () => {
    await writeBatches(path, 1);
    const later = new DatabaseSync(path);
    later.exec("PRAGMA user_version = 2");
    later.close();
    const before = await readFile(path);
    await expect(openSqliteStore({ path })).rejects.toMatchObject({
      code: "ERR_STORE_NEWER",
      message: expect.stringMatching(/tables 2.*knows 1/),
    });
    expect((await readFile(path)).equals(before)).toBe(true);
  });

  it("is a folder, or something in a folder that is not there", async () => {
    for (const wrong of [folder, join(folder, "missing", "agent.db"), join(folder, "a\0b")]) {
      await expect(openSqliteStore({ path: wrong })).rejects.toMatchObject({
        code: "ERR_STORE_IO",
        cause: expect.anything(),
      });
    }
  });

  it("leaves no lock behind", async () => {
    await writeFile(path, "garbage".repeat(1_000));
    await expect(openSqliteStore({ path })).rejects.toMatchObject(corrupt);
    await rm(path);
    await writeBatches(path, 1);
    await using store = await openSqliteStore({ path });
    expect(await wholeBatches(store)).toBe(1);
  });
});

describe("a store that meets damage while it is open", () => {
  it("stops, and says so", async () => {
    // As the tables are, but that nothing keeps a value from being no text.
    const odd = new DatabaseSync(path);
    odd.exec(`
      CREATE TABLE document (collection TEXT, key TEXT, value, PRIMARY KEY (collection, key));
      CREATE TABLE record (journal TEXT, seq INTEGER, value TEXT, PRIMARY KEY (journal, seq));
      CREATE TABLE journal (name TEXT PRIMARY KEY, last INTEGER);
      INSERT INTO document VALUES ('documents', 'a', 4711);
      PRAGMA application_id = ${0x5262746b};
      PRAGMA user_version = 1;
    `);
    odd.close();
    const store = await openSqliteStore({ path });
    const corrupt = { code: "ERR_STORE_CORRUPT", message: expect.stringContaining(path) };
    await expect(store.get(documents, "a")).rejects.toMatchObject(corrupt);
    expect(await store.stopped).toMatchObject(corrupt);
    await expect(store.list(documents)).rejects.toMatchObject(corrupt);
    await store[Symbol.asyncDispose]();
    expect(await store.stopped).toMatchObject(corrupt);
  });
});

describe("a store whose creation was cut off", () => {
  it("is made where only the empty file was", async () => {
    await writeFile(path, "");
    await writeBatches(path, 1);
    await using store = await openSqliteStore({ path });
    expect(await wholeBatches(store)).toBe(1);
  });

  it("is made where the tables were missing", async () => {
    const begun = new DatabaseSync(path);
    begun.exec("PRAGMA journal_mode = WAL");
    begun.close();
    await writeBatches(path, 1);
    await using store = await openSqliteStore({ path });
    expect(await wholeBatches(store)).toBe(1);
  });
});

describe("a power cut", () => {
  it("wherever it cuts the log, leaves whole batches and none in doubt between them", async () => {
    const copies = join(folder, "copies");
    await mkdir(copies);
    await using store = await openSqliteStore({ path });
    await store.write([]);
    const lengths: number[] = [];
    for (let batch = 1; batch <= 12; batch++) {
      const note = { batch, padding: "x".repeat(batch * 400) };
      await store.write([
        append(records, note),
        put(documents, `note-${batch}`, note),
        append(records, note),
      ]);
      lengths.push((await stat(`${path}-wal`)).size);
    }
    const wal = await readFile(`${path}-wal`);
    const database = join(copies, "agent.db");
    for (let length = lengths[0] ?? 0; length <= wal.length; length += 1_531) {
      await copyFile(path, database);
      await writeFile(`${database}-wal`, wal.subarray(0, length));
      await using cut = await openSqliteStore({ path: database });
      const durable = lengths.filter((end) => end <= length).length;
      expect(await wholeBatches(cut), `cut at ${length}`).toBe(durable);
    }
  });
});
