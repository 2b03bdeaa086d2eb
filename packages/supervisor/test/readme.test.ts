import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { supervisorErrorCodes } from "../src/index.ts";

it("lists every error code, and no other", async () => {
  const readme = await readFile(join(import.meta.dirname, "../README.md"), "utf8");
  const listed = [...readme.matchAll(/^\| `(ERR_\w+)` +\|/gm)].map(([, code]) => code);
  expect(listed.sort()).toEqual([...supervisorErrorCodes].sort());
});
