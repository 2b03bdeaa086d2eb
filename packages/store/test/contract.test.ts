import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, onTestFinished } from "vitest";
import { MemoryData, openMemoryStore } from "../src/memory.ts";
import { openSqliteStore } from "../src/sqlite.ts";
import type { Store } from "../src/store.ts";
import { storeContract } from "../src/testing/index.ts";

const drivers: Record<string, () => Promise<() => Promise<Store>>> = {
  async memory() {
    const data = new MemoryData();
    return async () => openMemoryStore({ data });
  },
  async sqlite() {
    const folder = await mkdtemp(join(tmpdir(), "store-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    return () => openSqliteStore({ path: join(folder, "agent.db") });
  },
};

for (const [name, place] of Object.entries(drivers)) {
  describe(`the ${name} store`, () => {
    for (const { name: rule, run } of storeContract) {
      it(rule, async () => run(await place()));
    }
  });
}
