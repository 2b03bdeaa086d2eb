// Runs a command with the repo's own Node and tools on PATH, in the folder where it was typed.
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const tooling = dirname(fileURLToPath(import.meta.url));

/** The repo's top folder. */
export const root = join(tooling, "..");

/** The environment in which the repo's commands run. */
export const environment = {
  ...process.env,
  PATH: [join(tooling, "bin"), join(root, "node_modules", ".bin"), process.env.PATH].join(":"),
  TURBO_TELEMETRY_DISABLED: "1",
};

/** Runs `command` to its end, in `cwd` (default: the repo's root); returns its exit status. */
export function run(command, args = [], { cwd = root } = {}) {
  const { status, signal, error } = spawnSync(command, args, {
    cwd,
    stdio: "inherit",
    env: environment,
  });
  if (error) console.error(`${command}: ${error.message}`);
  if (signal) return 130;
  return status ?? 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const [command, ...args] = process.argv.slice(2);
  const path = command.startsWith("tooling/") ? join(root, command) : command;
  const own = command === "tooling/bin/roboticks" || command === "tooling/bin/roboticks-agent";
  // npm changes into the root; what a user names is relative to where the command was typed.
  const cwd = own ? (process.env.INIT_CWD ?? root) : root;
  // Ctrl-C reaches the child too; it decides when to end, and we pass on how.
  process.on("SIGINT", () => {});
  process.exit(run(path, args, { cwd }));
}
