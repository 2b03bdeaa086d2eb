// `npm test [-- NAME…]`: sets up what the tests need and runs them: units, then integration.
// With names only the files whose path holds one of them; with --soak the long runs instead.
import { run } from "./exec.mjs";

const args = process.argv.slice(2);
const soak = args.includes("--soak");
const names = args.filter((arg) => !arg.startsWith("--")).map((name) => `/${name}/`);
const projects = soak ? ["soak"] : ["unit", "integration"];
process.exit(run("vitest", ["run", ...projects.flatMap((name) => ["--project", name]), ...names]));
