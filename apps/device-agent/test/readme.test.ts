import { readFile } from "node:fs/promises";
import { agentSettingsSchema } from "@roboticks/spec/agent";
import { expect, it } from "vitest";
import { agentErrorCodes } from "../src/index.ts";

const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");

it("the README explains every error code, and no other", () => {
  const rows = [...readme.matchAll(/^\| `(ERR_[A-Z_]+)`\s*\|/gm)].map(([, code]) => code);
  expect(rows.toSorted()).toEqual([...agentErrorCodes].toSorted());
});

it("the README explains every setting, and no other", () => {
  const [, section = ""] = readme.split(/^## Settings$/m);
  const [table = ""] = section.split(/^## /m);
  const rows = [...table.matchAll(/^\| `([a-z.A-Z]+)`\s*\|/gm)].map(
    ([, key]) => key?.split(".")[0],
  );
  const same = ["$schema", "apiVersion", "kind"];
  const keys = Object.keys(agentSettingsSchema.shape).filter((key) => !same.includes(key));
  expect([...new Set(rows)].toSorted()).toEqual(keys.toSorted());
});
