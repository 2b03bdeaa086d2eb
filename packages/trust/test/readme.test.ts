import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { trustErrorCodes } from "../src/index.ts";

it("the README says what each error code means, and names no other", async () => {
  const readme = await readFile(join(import.meta.dirname, "..", "README.md"), "utf8");
  const told = [...readme.matchAll(/^\| `(ERR_\w+)`\s*\|/gm)].map(([, code]) => code);
  expect(told).toEqual([...trustErrorCodes]);
});
