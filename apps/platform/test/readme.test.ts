import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { platformErrorCodes } from "../src/index.ts";

test("the README has every error code, and no other", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const rows = [...readme.matchAll(/^\| `(ERR_[A-Z_]+)`\s+\|/gm)].map(([, code]) => code);
  expect(rows.sort()).toEqual([...platformErrorCodes].sort());
});
