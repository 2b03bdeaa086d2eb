// `npm test [-- NAME…]`: runs the tests, units and integration. With the names of packages or
// apps only theirs (`tooling` is one too); with --soak the long runs instead.
import { existsSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "./exec.mjs";
import { ensurePrograms } from "./programs.mjs";

const args = process.argv.slice(2);
const projects = args.includes("--soak") ? ["soak"] : ["unit", "integration"];
const names = args.filter((arg) => !arg.startsWith("--"));
const folders = names.map((name) =>
  [`packages/${name}`, `apps/${name}`, name].find((path) =>
    existsSync(join(root, path, "package.json")),
  ),
);
const unknown = names.filter((_, n) => folders[n] === undefined);
if (unknown.length > 0) {
  console.error(`test: there is no package or app '${unknown.join("', '")}'`);
  process.exit(2);
}
await ensurePrograms();
process.exit(
  run("vitest", [
    "run",
    ...projects.flatMap((name) => ["--project", name]),
    ...folders.map((folder) => `${folder}/test/`),
  ]),
);
