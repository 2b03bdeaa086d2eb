import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { packErrorCodes } from "../src/index.ts";

it("the README lists every error code", () => {
  const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
  const listed = [...readme.matchAll(/^\| `(ERR_[A-Z_]+)`/gm)].map((match) => match[1]);
  expect(listed.sort()).toEqual([...packErrorCodes].sort());
});
