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
          testTimeout: 60_000,
          hookTimeout: 60_000,
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
