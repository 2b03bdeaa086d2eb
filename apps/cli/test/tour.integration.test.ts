import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Ran, Terminal } from "./terminal.ts";

let terminal: Terminal;
let tour: Ran;
beforeAll(async () => {
  terminal = await Terminal.open();
  // What an earlier tour left, cut off anywhere, is no hindrance.
  await terminal.write(".roboticks/tour/hello-world-1.0.0/left", "over");
  tour = await terminal.run(["dev", "--tour"]);
}, 300_000);
afterAll(() => terminal[Symbol.asyncDispose]());

it("shows seven steps, each with what was checked, and ends with 0", () => {
  expect([tour.status, tour.stderr]).toEqual([0, "Starting a platform and a virtual device …\n"]);
  const steps = tour.stdout.split(/^(?=\d {2}\S)/m).slice(1);
  // The last piece is step 7 and the table that repeats them all.
  expect(steps.slice(0, 7).map((step) => step.slice(0, 1))).toEqual([..."1234567"]);
  for (const step of steps.slice(0, 7)) expect(step).toContain("  ✓ ");
  expect(steps.slice(7).map((row) => row.trim().split(/ {2,}/)[1])).toEqual(
    steps.slice(0, 7).map((step) => step.split("\n")[0]?.slice(3)),
  );
});

it("shows a greeting of every version that ran, and none of the broken one", () => {
  const seen = [...tour.stdout.matchAll(/^ {2}✓ GET \S+ → "(.*)"$/gm)].map(([, said]) => said);
  const v2 = "Moin from v2";
  expect(seen).toEqual(["Hello from v1", "Moin from v1", v2, v2, v2, v2]);
  expect(tour.stdout).toContain("[ERR_CLI_DEPLOYMENT_FAILED]");
  expect(tour.stdout).not.toContain("    at ");
});

it("leaves no process, and no file outside .roboticks/tour", async () => {
  expect(await terminal.processes()).toEqual([]);
  expect(await readdir(terminal.folder)).toEqual([".roboticks"]);
  expect(await readdir(terminal.path(".roboticks"))).toEqual(["tour"]);
  expect(await readdir(terminal.home)).toEqual([]);
  expect(await readdir(terminal.tmp)).toEqual([]);
});
