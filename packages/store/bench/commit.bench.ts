// Durable commits per second of the SQLite store, against append + fdatasync of the same
// bytes to a plain file: what a journal costs at the least. Alternating, medians.
// Run: node --conditions=@roboticks/source bench/commit.bench.ts
import { closeSync, fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { append, type Journal, openSqliteStore, put } from "../src/index.ts";

const rounds = 9;
const commits = 1_000;
const goal = 0.95;

const record = { kind: "stepDone", step: "activate", capsule: "navigation", at: 1_764_000_000_000 };
const line = `${JSON.stringify(record)}\n`;
const schema: Journal<unknown>["schema"] = {
  "~standard": { version: 1, vendor: "bench", validate: (value) => ({ value }) },
};
const journal: Journal<unknown> = { name: "steps", schema };

const folder = mkdtempSync(join(process.env.BENCH_FOLDER ?? tmpdir(), "store-bench-"));

/** Commits per second of `work`, which makes `commits` of them. */
async function rate(work: () => void | Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return (commits * 1_000) / (performance.now() - start);
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

try {
  await using store = await openSqliteStore({ path: join(folder, "bench.db") });
  const file = openSync(join(folder, "bench.log"), "a");
  const rates: Record<"file" | "append" | "both", number[]> = { file: [], append: [], both: [] };
  for (let round = 0; round < rounds; round++) {
    rates.file.push(
      await rate(() => {
        for (let commit = 0; commit < commits; commit++) {
          writeSync(file, line);
          fdatasyncSync(file);
        }
      }),
    );
    rates.append.push(
      await rate(async () => {
        for (let commit = 0; commit < commits; commit++)
          await store.write([append(journal, record)]);
      }),
    );
    rates.both.push(
      await rate(async () => {
        for (let commit = 0; commit < commits; commit++) {
          const document = put({ name: "state", schema }, "current", record);
          await store.write([append(journal, record), document]);
        }
      }),
    );
  }
  closeSync(file);
  const peer = median(rates.file);
  console.log(`append + fdatasync        ${Math.round(peer)}/s`);
  for (const [name, values] of [
    ["store, one append        ", rates.append],
    ["store, append + document ", rates.both],
  ] as const) {
    const ratio = (median(values) / peer).toFixed(2);
    console.log(`${name} ${Math.round(median(values))}/s  ${ratio} × (goal ≥ ${goal})`);
  }
} finally {
  rmSync(folder, { recursive: true });
}
