import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach } from "vitest";

/** A file's text or bytes, a program, or a link. */
export type Content = string | Buffer | { readonly program: string } | { readonly link: string };

/** The least that a capsule.json says. */
export const source = {
  apiVersion: "roboticks/v1",
  kind: "Capsule",
  name: "hello",
  version: "1.0.0",
  processes: { hello: { command: "bin/hello" } },
};

/** A capsule that can be packed. */
export const hello: Readonly<Record<string, Content>> = {
  "capsule.json": JSON.stringify(source),
  "bin/hello": { program: "#!/bin/sh\necho hello\n" },
};

/** An empty folder for each test. */
export function scratch(): { readonly folder: string } {
  const place = { folder: "" };
  beforeEach(async () => {
    place.folder = await mkdtemp(join(tmpdir(), "pack-"));
  });
  afterEach(() => rm(place.folder, { recursive: true }));
  return place;
}

export async function writeTree(
  folder: string,
  tree: Readonly<Record<string, Content>>,
): Promise<string> {
  for (const [path, content] of Object.entries(tree)) {
    const fullPath = join(folder, path);
    await mkdir(dirname(fullPath), { recursive: true });
    if (typeof content === "string" || Buffer.isBuffer(content)) {
      await writeFile(fullPath, content);
    } else if ("link" in content) {
      await symlink(content.link, fullPath);
    } else {
      await writeFile(fullPath, content.program);
      await chmod(fullPath, 0o755);
    }
  }
  return folder;
}
