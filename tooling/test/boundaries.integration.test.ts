import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { run, scratch } from "./scratch.ts";

/** What `turbo boundaries` says once `importer` imports `imported`, declared or not. */
async function judge(importer: string, imported: string, declared: boolean) {
  using copy = scratch();
  const folder = join(copy.root, importer);
  mkdirSync(join(folder, "src"), { recursive: true });
  writeFileSync(join(folder, "src", "index.ts"), `export * from "${imported}";\n`);
  if (declared) {
    const file = join(folder, "package.json");
    const manifest = JSON.parse(readFileSync(file, "utf8"));
    manifest.dependencies = { ...manifest.dependencies, [imported]: "workspace:*" };
    writeFileSync(file, JSON.stringify(manifest));
  }
  await run(copy.root, "git", "init", "-q");
  const { status, said } = await run(copy.root, "turbo", "boundaries");
  return { status, said: said.replaceAll(/[\s|]+/g, " ") };
}

it("the house as it is keeps its own rules", async () => {
  using copy = scratch();
  await run(copy.root, "git", "init", "-q");
  const { status, said } = await run(copy.root, "turbo", "boundaries");
  expect(said).toContain("no issues found");
  expect(status).toBe(0);
});

it.each([
  ["packages/health", "@roboticks/capsule"],
  ["packages/deployment", "@roboticks/capsule"],
  ["packages/store", "@roboticks/spec"],
  ["packages/core", "@roboticks/spec"],
  ["packages/spec", "@roboticks/trust"],
  ["packages/client", "@roboticks/health"],
  ["packages/capsule", "@roboticks/client"],
  ["apps/device-agent", "@roboticks/platform"],
  ["apps/cli", "@roboticks/device-agent"],
])("%s must not import %s, even if it says so in its manifest", async (importer, imported) => {
  const { status, said } = await judge(importer, imported, true);
  expect(said).toContain("without any tag listed in allowlist");
  expect(said).toContain(imported);
  expect(status).not.toBe(0);
});

it("what a manifest does not name cannot be imported at all", async () => {
  const { status, said } = await judge("packages/health", "@roboticks/capsule", false);
  expect(said).toContain(
    "cannot import package `@roboticks/capsule` because it is not a dependency",
  );
  expect(status).not.toBe(0);
});

it("nor by a path that leaves the package", async () => {
  const { status, said } = await judge("packages/health", "../../capsule/src/index.ts", false);
  expect(said).toContain("leaves the package");
  expect(status).not.toBe(0);
});
