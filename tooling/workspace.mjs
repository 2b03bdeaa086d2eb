import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "./exec.mjs";

/** Every package and app by name: `{ folder, manifest }`. */
export function readWorkspace() {
  const members = ["packages", "apps"].flatMap((kind) =>
    readdirSync(join(root, kind)).map((name) => join(root, kind, name)),
  );
  return new Map(
    members
      .filter((folder) => existsSync(join(folder, "package.json")))
      .map((folder) => {
        const manifest = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
        return [manifest.name, { folder, manifest }];
      }),
  );
}

/** `name` and all of the workspace that an install of it brings. */
export function withDependencies(workspace, name, found = new Set()) {
  if (!workspace.has(name) || found.has(name)) return found;
  found.add(name);
  for (const dependency of Object.keys(workspace.get(name).manifest.dependencies ?? {})) {
    withDependencies(workspace, dependency, found);
  }
  return found;
}
