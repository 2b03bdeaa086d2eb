// Installs what everything else needs. Runs before anything is installed, so it is plain
// JavaScript that Node 20 reads, and uses nothing but Node and npm.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const stamp = join(root, "node_modules", ".bootstrap");
const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

const digest = createHash("sha256");
for (const file of ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json"]) {
  digest.update(readFileSync(join(root, file)));
}
const wanted = digest.digest("hex");

if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted) {
  const args = ["--prefer-offline", "-y", packageManager, "install"];
  if (process.env.CI === "true") args.push("--frozen-lockfile");
  console.error("Installing dependencies (once; later runs skip this) …");
  const { status, stdout, stderr } = spawnSync("npx", args, { cwd: root, encoding: "utf8" });
  if (status !== 0) {
    console.error(stdout, stderr);
    console.error(
      `bootstrap: '${["npx", ...args].join(" ")}' failed; is the npm registry reachable?`,
    );
    process.exit(1);
  }
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

// The repo brings its own Node 24 on Linux x64; elsewhere the machine's has to be new enough.
const { stdout: version } = spawnSync(join(root, "tooling", "bin", "node"), ["--version"], {
  encoding: "utf8",
});
if (!(Number(version?.slice(1).split(".")[0]) >= 24)) {
  console.error(
    `bootstrap: Node 24 or newer is needed, found ${version?.trim() || "none"}; install it and run again`,
  );
  process.exit(1);
}
