import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { launcherContract } from "@roboticks/capsule/testing";
import { ProcessSupervisor } from "@roboticks/supervisor";
import { describe, it } from "vitest";

/** A supervisor in a folder of its own. */
async function makeLauncher() {
  const root = await mkdtemp(join(tmpdir(), "supervisor-"));
  const launcher = await ProcessSupervisor.open({ root });
  return {
    launcher,
    async dispose() {
      await launcher[Symbol.asyncDispose]();
      await rm(root, { recursive: true, force: true });
    },
  };
}

describe("the process supervisor as the launcher of capsules", () => {
  for (const { name, run } of launcherContract) {
    // Its assertions are those of node:assert.
    it(name, () => run(makeLauncher));
  }
});
