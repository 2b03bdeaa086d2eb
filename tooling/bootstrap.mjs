// Installs what everything else needs. Runs before anything is installed, so it is plain
// JavaScript that Node 20 reads, and uses nothing but Node and npm.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const stamp = join(root, "node_modules", ".bootstrap");

/** All that decides what an install would do. */
function wanted() {
  const digest = createHash("sha256");
  const files = ["pnpm-lock.yaml", "pnpm-workspace.yaml", "package.json", "tooling/package.json"];
  for (const folder of ["packages", "apps"]) {
    for (const name of readdirSync(join(root, folder)).sort()) {
      files.push(join(folder, name, "package.json"));
    }
  }
  for (const file of files) {
    const path = join(root, file);
    if (existsSync(path)) digest.update(`${file}\n`).update(readFileSync(path));
  }
  return digest.digest("hex");
}

if (!existsSync(stamp) || readFileSync(stamp, "utf8") !== wanted()) {
  const args = ["install", "--prefer-offline", "--config.confirmModulesPurge=false"];
  if (process.env.CI === "true") args.push("--frozen-lockfile");
  console.error("Installing dependencies (once; later runs skip this) …");
  const { status, stdout, stderr } = spawnSync(join(root, "tooling", "bin", "pnpm"), args, {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (status !== 0) {
    console.error(stdout, stderr);
    console.error(
      `bootstrap: '${["pnpm", ...args].join(" ")}' failed; is the npm registry reachable?`,
    );
    process.exit(1);
  }
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted()); // the install may have written the lock file
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
