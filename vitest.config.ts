import { defineConfig } from "vitest/config";

// Tests read the packages' sources, so they need no build.
const conditions = ["@roboticks/source", "node", "import", "default"];
const source = { ssr: { resolve: { conditions, externalConditions: conditions } } };

export default defineConfig({
  test: {
    reporters: ["default", "./tooling/summary-reporter.ts"],
    projects: [
      {
        ...source,
        test: {
          name: "unit",
          include: ["{packages,apps}/*/test/**/*.test.ts", "tooling/test/**/*.test.ts"],
          exclude: ["**/*.integration.test.ts", "**/*.soak.test.ts"],
        },
      },
      {
        ...source,
        test: {
          name: "integration",
          include: [
            "{packages,apps}/*/test/**/*.integration.test.ts",
            "tooling/test/**/*.integration.test.ts",
          ],
          // They wait for conditions, so a long limit costs nothing; a busy disk syncs for seconds.
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
      {
        ...source,
        test: {
          name: "soak",
          include: ["{packages,apps}/*/test/**/*.soak.test.ts"],
          testTimeout: 600_000,
        },
      },
    ],
  },
});
