import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The repo's top folder. */
export const repo = join(import.meta.dirname, "..", "..");

/** What a command left behind. */
export interface Ran {
  readonly status: number;
  /** Standard output and error, together. */
  readonly said: string;
  readonly stdout: string;
}

/** Runs one of the repo's tools in `cwd`. */
export function run(cwd: string, command: string, ...args: readonly string[]): Promise<Ran> {
  const path = [join(repo, "tooling", "bin"), join(repo, "node_modules", ".bin"), process.env.PATH];
  const env = { ...process.env, PATH: path.join(":"), TURBO_TELEMETRY_DISABLED: "1" };
  return new Promise((resolve) => {
    execFile(command, args, { cwd, env, maxBuffer: 2 ** 26 }, (error, stdout, stderr) => {
      const status = typeof error?.code === "number" ? error.code : error ? 1 : 0;
      resolve({ status, stdout, said: stdout + stderr });
    });
  });
}

/**
 * A copy of the repo's frame in a temporary folder: root files, tooling, the manifests of every
 * package, and with their sources those that are named. Disposing removes it.
 */
export function scratch(...withSources: readonly string[]): Disposable & { readonly root: string } {
  const root = mkdtempSync(join(tmpdir(), "roboticks-scratch-"));
  const take = (path: string): void =>
    cpSync(join(repo, path), join(root, path), { recursive: true });
  for (const entry of readdirSync(repo, { withFileTypes: true })) {
    if (entry.isFile()) take(entry.name);
  }
  for (const name of ["bin", ...readdirSync(join(repo, "tooling"))]) {
    if (name !== "node_modules" && name !== "test") take(join("tooling", name));
  }
  symlinkSync(join(repo, "node_modules"), join(root, "node_modules"));
  for (const folder of ["packages", "apps"]) {
    for (const name of readdirSync(join(repo, folder))) {
      const member = join(folder, name);
      mkdirSync(join(root, member), { recursive: true });
      for (const file of readdirSync(join(repo, member))) {
        if (file.endsWith(".json")) take(join(member, file));
      }
      if (withSources.includes(name)) take(join(member, "src"));
    }
  }
  return { root, [Symbol.dispose]: () => rmSync(root, { recursive: true, force: true }) };
}
