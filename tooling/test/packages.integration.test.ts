import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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

it("the tarballs that --out keeps install as the printed line says, into an empty project", async () => {
  using folder = emptyProject();
  const kept = join(folder.path, "tar balls");
  const packed = await run(repo, "node", "tooling/packages.mjs", "health", "--out", kept);
  expect(packed.status, packed.said).toBe(0);
  expect(
    readdirSync(kept)
      .map((file) => file.replace(/-[\d.]+\.tgz$/, ""))
      .sort(),
  ).toEqual(["roboticks-core", "roboticks-health"]);

  const command = packed.stdout.trim().split("\n").at(-1) ?? "";
  expect(command).toBe(`npm install '${kept}'/*.tgz`);
  const installed = await run(folder.path, "sh", "-c", `${command} --prefer-offline --no-audit`);
  expect(installed.status, installed.said).toBe(0);
  const load =
    'await import("@roboticks/health").then((its) => console.log(typeof its.HealthMonitor))';
  const loaded = await run(folder.path, "node", "--input-type=module", "-e", load);
  expect(loaded.stdout, loaded.said).toBe("function\n");
}, 120_000);

it("--out without a folder, or a flag that is not known, is refused", async () => {
  expect(await run(repo, "node", "tooling/packages.mjs", "--out")).toMatchObject({ status: 1 });
  expect(await run(repo, "node", "tooling/packages.mjs", "--ouT", "x")).toMatchObject({
    status: 1,
  });
});

function emptyProject(): Disposable & { readonly path: string } {
  const path = mkdtempSync(join(tmpdir(), "roboticks-empty-"));
  writeFileSync(join(path, "package.json"), '{ "private": true }\n');
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}
