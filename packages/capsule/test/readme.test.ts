import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, it } from "vitest";
import { capsuleErrorCodes } from "../src/index.ts";

it("the README has every error code, and no other", async () => {
  const readme = await readFile(join(import.meta.dirname, "../README.md"), "utf8");
  const codes = [...readme.matchAll(/^\| `(ERR_\w+)`/gm)].map(([, code]) => code);
  expect(codes).toEqual([...capsuleErrorCodes]);
});
