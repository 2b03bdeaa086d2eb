import { mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { run, scratch } from "./scratch.ts";

it.each(["rover", "very-long-name-of-a-package-that-breaks-many-lines"])(
  "`npm run new -- package %s` makes one that passes types, lint, boundaries and its tests",
  async (name) => {
    using copy = scratch("core");
    const made = await run(copy.root, "node", "tooling/new.mjs", "package", name);
    expect(made).toMatchObject({ status: 0, said: expect.stringContaining(`packages/${name}`) });

    // What an install would do.
    const folder = join(copy.root, "packages", name);
    mkdirSync(join(folder, "node_modules", "@roboticks"), { recursive: true });
    symlinkSync(
      join(copy.root, "packages", "core"),
      join(folder, "node_modules", "@roboticks", "core"),
    );
    await run(copy.root, "git", "init", "-q");
    const checks = [
      await run(folder, "tsc", "-p", "tsconfig.json"),
      await run(copy.root, "biome", "check", "--error-on-warnings", `packages/${name}`),
      await run(copy.root, "turbo", "boundaries"),
      await run(copy.root, "vitest", "run", "--project", "unit", `packages/${name}/`),
    ];
    for (const { status, said } of checks) expect(status, said).toBe(0);
    expect(checks.at(-1)?.said).toContain("2 passed, 0 failed, 0 skipped");
  },
);

it.each([
  [["app", "rover"], "cannot make a app"],
  [["package", "Rover"], "'Rover' is no name"],
  [["package", "rover", "roof"], "'roof' is no layer"],
  [["package", "core"], "packages/core is already there"],
])("%j is refused with the usage", async (args, why) => {
  using copy = scratch();
  const { status, said } = await run(copy.root, "node", "tooling/new.mjs", ...args);
  expect(status).toBe(2);
  expect(said).toContain(why);
  expect(said).toContain("usage: npm run new -- package NAME");
});
