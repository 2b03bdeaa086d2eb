// The programs of the system that tests need beside what the repo brings. As root with nobody to
// ask, missing ones are installed with apt-get; at a terminal that is asked first; without the
// rights the tests that need them are skipped, and counted as skipped.
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";

/** Program → the Debian package that has it. */
const needed = { zstd: "zstd", ps: "procps", unshare: "util-linux", ldd: "libc-bin" };

/** The packages of the programs that are not on PATH. */
export function missingPackages(path = process.env.PATH ?? "", programs = needed) {
  const isThere = (program) =>
    path.split(":").some((folder) => {
      try {
        accessSync(join(folder, program), constants.X_OK);
        return true;
      } catch {
        return false; // not in this one
      }
    });
  return Object.entries(programs).flatMap(([program, name]) => (isThere(program) ? [] : [name]));
}

/** Has what the tests need installed, as far as that may be done here. */
export async function ensurePrograms() {
  const missing = process.platform === "linux" ? missingPackages() : [];
  if (missing.length === 0) return;
  const command = `apt-get install -y --no-install-recommends ${missing.join(" ")}`;
  const isRoot = process.getuid?.() === 0;
  if (isRoot && (!process.stdin.isTTY || (await isWanted(command)))) {
    console.error(`Installing what the tests need: ${missing.join(", ")} …`);
    const options = { stdio: ["ignore", "ignore", "inherit"] };
    spawnSync("apt-get", ["update"], options);
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    spawnSync("sh", ["-c", command], { ...options, env });
  }
  const left = missingPackages();
  if (left.length > 0) {
    console.error(
      `\nNot here: ${left.join(", ")}. Tests that need them are SKIPPED; install them with\n  ${command}\n`,
    );
  }
}

async function isWanted(command) {
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await terminal.question(`The tests need more programs. Run '${command}'? [y/N] `);
  terminal.close();
  return /^y(es)?$/i.test(answer.trim());
}
