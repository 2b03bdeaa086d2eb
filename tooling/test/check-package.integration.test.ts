import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Ran, run, scratch } from "./scratch.ts";

const copy = scratch("core");
const folder = join(copy.root, "packages", "core");
const at = (path: string): string => join(folder, path);

beforeAll(async () => {
  const javaScript = await run(folder, "tsup", "--config", "../../tooling/tsup.config.ts");
  const declarations = await run(folder, "tsc", "-p", "tsconfig.build.json");
  expect([javaScript.status, declarations.status], javaScript.said + declarations.said).toEqual([
    0, 0,
  ]);
});
afterAll(() => copy[Symbol.dispose]());

/** What the check says once `file` has `content`, or is gone; puts it back. */
async function checkWith(file: string, change: (content: string) => string | null): Promise<Ran> {
  const before = readFileSync(at(file), "utf8");
  const after = change(before);
  if (after === null) rmSync(at(file));
  else writeFileSync(at(file), after);
  try {
    return await run(folder, "node", "../../tooling/check-package.mjs");
  } finally {
    writeFileSync(at(file), before);
  }
}

/** The manifest with `change` done to it. */
const manifest = (change: (manifest: Record<string, unknown>) => void) => (content: string) => {
  const document = JSON.parse(content);
  change(document);
  return JSON.stringify(document);
};

it("a good package passes, and nothing is said", async () => {
  expect(await checkWith("dist/index.js", (content) => content)).toMatchObject({
    status: 0,
    said: "",
  });
});

it.each<[string, string, (content: string) => string | null, string]>([
  [
    "a build that has lost a node: prefix",
    "dist/fs.js",
    (content) => `import "sqlite";\n${content}`,
    "import of @roboticks/core/fs: Error",
  ],
  ["an entry that was not built", "dist/fs.js", () => null, "dist/fs.js"],
  ["declarations that were not built", "dist/index.d.ts", () => null, "dist/index.d.ts"],
  [
    "the source condition published",
    "package.json",
    manifest((document) => {
      document.publishConfig = { access: "public", exports: document.exports };
    }),
    "publishConfig.exports does not replace the source condition",
  ],
  [
    "an entry forgotten in publishConfig",
    "package.json",
    manifest((document) => {
      document.publishConfig = {
        access: "public",
        exports: { ".": { types: "./dist/index.d.ts", default: "./dist/index.js" } },
      };
    }),
    "exports has .,./digest,./fs,./socket,./testing, publishConfig.exports has .",
  ],
  [
    "a program that does not start",
    "package.json",
    manifest((document) => {
      document.bin = { core: "./dist/nothing.js" };
    }),
    "nothing.js",
  ],
])("%s is refused", async (_, file, change, why) => {
  const { status, said } = await checkWith(file, change);
  expect(said).toContain(why);
  expect(status).toBe(1);
});
