import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import * as digest from "../src/digest.ts";
import * as fs from "../src/fs.ts";
import * as root from "../src/index.ts";
import * as testing from "../src/testing/index.ts";

it("the README names everything that is exported", () => {
  const readme = readFileSync(join(import.meta.dirname, "..", "README.md"), "utf8");
  const missing = Object.keys({ ...root, ...fs, ...digest, ...testing }).filter(
    (name) => !new RegExp(`\`${name}\\b`).test(readme),
  );
  expect(missing).toEqual([]);
});
