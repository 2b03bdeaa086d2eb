import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { deploymentErrorCodes } from "../src/index.ts";

it("the README lists every code, and no other", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const listed = [...readme.matchAll(/^\| `(ERR_[A-Z_]+)`\s*\|/gm)].map(([, code]) => code);
  expect(listed.sort()).toEqual([...deploymentErrorCodes].sort());
});
