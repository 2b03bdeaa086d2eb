// What `check:package` of every package runs, in its folder, after its build: packs it as it
// would be published, has publint and attw judge that, and starts what was built in Node.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { publint } from "publint";
import { formatMessage } from "publint/utils";

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const problems = [];

/** Runs a tool; what it said is a problem where it failed. */
function tool(command, ...args) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: "utf8" });
  if (status !== 0) problems.push(`${[command, ...args].join(" ")}\n${stdout}${stderr}`);
  return status === 0;
}

async function checkTarball(folder) {
  if (!tool("pnpm", "pack", "--pack-destination", folder)) return;
  const file = join(folder, readdirSync(folder)[0]);
  const bytes = readFileSync(file);
  const { messages, pkg } = await publint({
    pack: { tarball: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) },
    level: "warning",
    strict: true,
  });
  for (const message of messages) problems.push(`publint: ${formatMessage(message, pkg)}`);
  if (JSON.stringify(pkg.exports ?? {}).includes("@roboticks/source")) {
    problems.push("package.json: publishConfig.exports does not replace the source condition");
  }
  const entries = Object.keys(pkg.exports ?? {});
  const [from, to] = [manifest.exports, pkg.exports].map((map) => Object.keys(map ?? {}).sort());
  if (from.join() !== to.join()) {
    problems.push(`package.json: exports has ${from}, publishConfig.exports has ${to}`);
  }
  if (entries.length > 0) {
    tool("attw", file, "--profile", "esm-only", "--format", "ascii", "--no-color");
  }
}

// The workspace's links lead to the other packages' builds, as an install would.
async function checkStarts() {
  for (const [name, entry] of Object.entries(manifest.publishConfig?.exports ?? {})) {
    if (typeof entry === "string") continue; // files, not modules
    try {
      await import(pathToFileURL(resolve(entry.default)).href);
    } catch (error) {
      problems.push(`import of ${join(manifest.name, name)}: ${error}`);
    }
  }
  for (const program of Object.values(manifest.bin ?? {})) {
    tool(process.execPath, program, "--help");
  }
}

const folder = mkdtempSync(join(tmpdir(), "roboticks-check-package-"));
try {
  await checkTarball(folder);
  await checkStarts();
} finally {
  rmSync(folder, { recursive: true });
}
if (problems.length > 0) {
  console.error(`${manifest.name}: ${problems.join("\n")}`);
  process.exit(1);
}
