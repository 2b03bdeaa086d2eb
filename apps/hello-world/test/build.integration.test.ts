import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { promisify } from "node:util";
import { packCapsule } from "@roboticks/pack";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const run = promisify(execFile);
const script = join(import.meta.dirname, "../build.mjs");
const build = (...args: string[]) => run(process.execPath, [script, ...args]);

let folder: string;
const running = new Set<ChildProcess>();
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "hello-world-"));
});
afterAll(async () => {
  for (const child of running) child.kill("SIGKILL");
  await rm(folder, { recursive: true });
});

/** Starts the program of a built folder with an empty environment, on a free port. */
async function start(capsule: string) {
  const child = spawn(
    "/usr/bin/env",
    ["-i", "PORT=0", "VERSION=v3", join(capsule, "bin/hello-world")],
    {
      cwd: "/",
      stdio: ["ignore", "pipe", "pipe"],
    },
  );
  running.add(child);
  const errors = text(child.stderr);
  const url = await addressIn(child.stdout);
  const stop = async () => {
    const ended = once(child, "exit");
    child.kill("SIGTERM");
    return (await ended)[0];
  };
  return { url, errors, stop };
}

async function addressIn(output: Readable): Promise<string> {
  for await (const line of createInterface(output)) {
    const [address] = /http:\S+/.exec(line) ?? [];
    if (address) return address;
  }
  throw new Error("it ended without saying where it listens");
}

const get = async (url: string) => {
  const response = await fetch(url);
  return [response.status, await response.text()];
};

describe("a built folder", () => {
  it("is packed, unpacked, and runs in an empty environment", async () => {
    const built = join(folder, "built");
    await build("--version", "3.0.0", "--out", built);
    const packed = await packCapsule({ folder: built, output: join(folder, "hello.tar.gz") });
    expect(packed.manifest).toMatchObject({
      name: "hello-world",
      version: "3.0.0",
      platforms: [{ os: process.platform, arch: process.arch }],
      processes: { server: { environment: { VERSION: "v3" } } },
      configuration: { schema: { title: "Environment of hello-world" } },
    });
    const unpacked = join(folder, "unpacked");
    await mkdir(unpacked);
    await run("tar", ["-xzf", packed.path, "-C", unpacked]);
    await rm(built, { recursive: true });
    const server = await start(unpacked);
    expect(await get(`${server.url}/`)).toEqual([200, "Hello from v3\n"]);
    expect(await get(`${server.url}/health`)).toEqual([200, '{"status":"ok"}\n']);
    expect((await get(`${server.url}/else`))[0]).toBe(404);
    expect(await server.stop()).toBe(0);
    expect(await server.errors).toBe("");
  });

  it("of a broken version runs, and says that it is not well", async () => {
    const broken = join(folder, "broken");
    await build("--version", "3.0.0", "--out", broken, "--broken");
    const server = await start(broken);
    expect(await get(`${server.url}/`)).toEqual([200, "Hello from v3\n"]);
    expect(await get(`${server.url}/health`)).toEqual([503, "map not loaded\n"]);
    await server.stop();
    expect(await server.errors).toBe("ERROR map server: checksum mismatch floor-2.pgm\n");
  });

  it("is never made over something else, or without being told what", async () => {
    await expect(build("--version", "3.0.0", "--out", join(folder, ".."))).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining("is not empty"),
    });
    await expect(build("--out", join(folder, "x"))).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining("usage: node build.mjs"),
    });
  });
});
