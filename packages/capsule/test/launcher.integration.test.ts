import { describe, it } from "vitest";
import { launcherContract } from "../src/testing/index.ts";
import { ProcessLauncher } from "./process-launcher.ts";

describe("a launcher over node:child_process", () => {
  for (const { name, run } of launcherContract) {
    // Its assertions are those of node:assert.
    it(name, () => run(async () => ({ launcher: new ProcessLauncher(), dispose: async () => {} })));
  }
});
