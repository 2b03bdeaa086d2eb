// `npm run bench [-- NAME…]`: runs the benches of all packages, or of those that are named, one
// after the other so that they do not disturb each other. They print ratios; nothing judges them.
import { existsSync, readdirSync } from "node:fs";
import { join, relative } from "node:path";
import { root, run } from "./exec.mjs";

const names = process.argv.slice(2);
const files = ["packages", "apps"].flatMap((kind) =>
  readdirSync(join(root, kind))
    .filter((name) => names.length === 0 || names.includes(name))
    .map((name) => join(root, kind, name, "bench"))
    .filter((folder) => existsSync(folder))
    .flatMap((folder) =>
      readdirSync(folder)
        .filter((file) => file.endsWith(".bench.ts"))
        .sort()
        .map((file) => join(folder, file)),
    ),
);
if (files.length === 0) {
  console.error(`bench: ${names.length > 0 ? names.join(", ") : "no package"} has no bench`);
  process.exit(1);
}
let failed = 0;
for (const file of files) {
  console.log(`\n${relative(root, file)}`);
  failed += run("node", ["--conditions=@roboticks/source", file]) === 0 ? 0 : 1;
}
process.exit(failed > 0 ? 1 : 0);
