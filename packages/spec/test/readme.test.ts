import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { specErrorCodes } from "../src/errors.ts";

it("the README lists every error code, and no other", () => {
  const readme = readFileSync(join(import.meta.dirname, "..", "README.md"), "utf8");
  const listed = [...readme.matchAll(/^\| `(ERR_[A-Z0-9_]+)`/gm)].map(([, code]) => code);
  expect(listed.sort()).toEqual([...specErrorCodes].sort());
});
