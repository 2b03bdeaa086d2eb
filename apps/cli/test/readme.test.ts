import { readFile } from "node:fs/promises";
import { expect, it } from "vitest";
import { cliErrorCodes } from "../src/errors.ts";
import { exitStatus } from "../src/exit-status.ts";

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");

it("the README explains every error code, and no other", () => {
  const rows = [...readme.matchAll(/^\| `(ERR_[A-Z_]+)`\s*\|/gm)].map(([, code]) => code);
  expect(rows.toSorted()).toEqual([...cliErrorCodes].toSorted());
});

it("the README explains every exit status, and no other", () => {
  const rows = [...readme.matchAll(/^\| (\d+)\s*\|/gm)].map(([, status]) => Number(status));
  expect(rows).toEqual(Object.values(exitStatus));
});
