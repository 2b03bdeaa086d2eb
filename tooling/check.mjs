// `npm run check`: format, lint, types, boundaries, package checks and unit tests.
import { run } from "./exec.mjs";

const boundaries = run("turbo", ["boundaries"]);
const tasks = run("turbo", [
  "run",
  "lint",
  "typecheck",
  "unit",
  "check:package",
  "--continue=dependencies-successful",
  "--output-logs=errors-only",
]);
process.exit(boundaries || tasks);
