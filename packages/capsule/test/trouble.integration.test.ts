import { execFileSync, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { appendFile, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CapsuleManager } from "../src/index.ts";
import { testCapsule } from "./archives.ts";
import { ProcessLauncher } from "./process-launcher.ts";
import { serve } from "./server.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "capsule-trouble-"));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** Random, so that gzip cannot make it small: it takes many chunks to arrive. */
const large = () => randomBytes(6 * 2 ** 20);

describe("an install that is killed", () => {
  it("at any moment leaves nothing behind, or all of it", async () => {
    const capsule = testCapsule({ files: { "bin/main": "#!a", "map.bin": large() } });
    const root = join(folder, "root");
    for (const share of [0.1, 0.5, 0.9, 1]) {
      const killed = Promise.withResolvers<void>();
      await using server = await serve((_, response) => {
        response.write(capsule.archive.subarray(0, capsule.archive.length * share), () => {
          child.kill("SIGKILL");
          killed.resolve();
        });
      });
      const child = spawn(
        process.execPath,
        [
          "--conditions=@roboticks/source",
          join(import.meta.dirname, "interrupted-install.ts"),
          root,
          server.url,
          capsule.digest,
        ],
        { stdio: "ignore" },
      );
      const ended = once(child, "exit");
      await killed.promise;
      expect((await ended)[1]).toBe("SIGKILL");
      await using capsules = await CapsuleManager.open({ root });
      expect(await readdir(join(root, "staging"))).toEqual([]);
      expect(await capsules.list()).toEqual([]);
    }
  });

  it("leaves what the next one needs nothing of", async () => {
    const root = join(folder, "root");
    const capsule = testCapsule();
    const staged = join(root, "staging", capsule.digest.slice(7));
    await mkdir(join(staged, "bin"), { recursive: true });
    await writeFile(join(staged, "bin/main"), "half");
    await using server = await serve((_, response) => response.end(capsule.archive));
    await using capsules = await CapsuleManager.open({ root, diskReserveBytes: 0 });
    const installed = await capsules.install({ url: server.url, digest: capsule.digest });
    expect(await capsules.verify(installed)).toEqual({ ok: true });
  });
});

/** Only root may mount a disk of its own. */
const canMount = process.platform === "linux" && process.getuid?.() === 0;

async function fill(path: string): Promise<void> {
  const full = await appendFile(path, Buffer.alloc(32 * 2 ** 20)).catch((error) => error);
  expect(full).toMatchObject({ code: "ENOSPC" });
}

describe.skipIf(!canMount)("a disk that becomes full while a capsule is unpacked", () => {
  beforeEach(() => {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=16m", "tmpfs", folder]);
  });
  afterEach(() => {
    execFileSync("umount", ["-l", folder]); // also when a failed test left a program running
  });

  it("ends the install, and leaves what is installed and what runs", async () => {
    const launcher = new ProcessLauncher();
    const small = testCapsule({ name: "small" });
    const capsule = testCapsule({ files: { "bin/main": "#!a", "map.bin": large() } });
    await using server = await serve(async (request, response) => {
      if (request.url === "/small") return response.end(small.archive);
      // The space was checked with the manifest; then something else takes it.
      response.write(capsule.archive.subarray(0, 2 ** 20));
      while (!(await readdir(join(folder, "staging"))).length) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      await fill(join(folder, "log"));
      response.end(capsule.archive.subarray(2 ** 20));
    });
    await using capsules = await CapsuleManager.open({
      root: folder,
      launcher,
      diskReserveBytes: 0,
    });
    const first = await capsules.install({ url: `${server.url}/small`, digest: small.digest });
    const run = await capsules.start(first);
    await expect(
      capsules.install({ url: `${server.url}/large`, digest: capsule.digest }),
    ).rejects.toMatchObject({ code: "ERR_CAPSULE_NO_SPACE", retryable: true });
    expect(server.requests).toHaveLength(2);
    expect(run.processes[0]?.run.status().state).toBe("running");
    expect(await capsules.verify(first)).toEqual({ ok: true });
    expect((await capsules.list()).map(({ name }) => name)).toEqual(["small"]);
    expect(await readdir(join(folder, "staging"))).toEqual([]);
    await rm(join(folder, "log"));
    await run.stop();
  });
});
