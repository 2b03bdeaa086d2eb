import { expect, it } from "vitest";
import { repo, run } from "./scratch.ts";

interface Row {
  readonly name: string;
  readonly ours: readonly string[];
  readonly others: readonly string[];
}

it("every published package installs by itself, loads, type-checks, and stays light", async () => {
  const { status, stdout, said } = await run(repo, "node", "tooling/packages.mjs", "--json");
  expect(status, said).toBe(0);
  const rows: readonly Row[] = JSON.parse(stdout);
  const brings = Object.fromEntries(rows.map(({ name, ours, others }) => [name, { ours, others }]));

  // An embedder of one of these gets nothing that was not asked for.
  const core = "@roboticks/core";
  expect(brings).toMatchObject({
    [core]: { ours: [], others: [] },
    "@roboticks/health": { ours: [core], others: [] },
    "@roboticks/trust": { ours: [core], others: [] },
    "@roboticks/archive": { ours: [core], others: [] },
    "@roboticks/store": { ours: [core], others: [] },
    "@roboticks/supervisor": { ours: [core], others: [] },
  });
}, 300_000);
