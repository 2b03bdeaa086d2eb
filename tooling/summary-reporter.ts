import type { Reporter, TestModule } from "vitest/node";

/** Ends a run with the one line that a machine reads: `N passed, N failed, N skipped`. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: 0, skipped: 0, pending: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) count[test.result().state]++;
      // A file that does not even load has no tests to count; it has failed all the same.
      if (module.errors().length > 0) count.failed++;
    }
    const failed = count.failed + errors.length;
    const skipped = count.skipped + count.pending;
    if (process.env.CI === "true" && skipped > 0) {
      console.log(`${skipped} skipped: under CI=true every test has to run`);
      process.exitCode = 1;
    }
    process.on("exit", () => {
      console.log(`${count.passed} passed, ${failed} failed, ${skipped} skipped`);
    });
  }
}
