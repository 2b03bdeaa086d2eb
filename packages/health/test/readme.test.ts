import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { healthErrorCodes } from "../src/index.ts";

it("the README explains every error code, and no other", () => {
  const readme = readFileSync(join(import.meta.dirname, "../README.md"), "utf8");
  const explained = [...readme.matchAll(/^\| `(ERR_\w+)`/gm)].map(([, code]) => code);
  expect(explained.toSorted()).toEqual(healthErrorCodes.toSorted());
});
