import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSqliteStore } from "../src/index.ts";
import { wholeBatches } from "./fixtures/batches.ts";
import { documents } from "./fixtures/notes.ts";

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "store-"));
  path = join(folder, "agent.db");
});
afterEach(() => rm(folder, { recursive: true }));

const writer = join(import.meta.dirname, "fixtures", "writer.ts");
const nodeArguments = ["--conditions=@roboticks/source", writer];

interface Line {
  readonly batch?: number;
  readonly code?: string;
  readonly message?: string;
  readonly next?: string;
  readonly stopped?: string;
}

/** Lines of the child as they come; ends with its output. */
async function* linesOf(child: ChildProcess): AsyncGenerator<Line> {
  if (!child.stdout) throw new Error("the child has no stdout");
  for await (const line of createInterface({ input: child.stdout })) yield JSON.parse(line);
}

const start = (...rest: string[]): ChildProcess =>
  spawn(process.execPath, [...nodeArguments, path, ...rest], {
    stdio: ["ignore", "pipe", "inherit"],
  });

/** Runs the writer under `shell` (which ends in `exec "$@"`) until it ends by itself. */
async function runUnder(command: string, args: readonly string[], ...rest: string[]) {
  const child = spawn(command, [...args, process.execPath, ...nodeArguments, path, ...rest], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines: Line[] = [];
  for await (const line of linesOf(child)) lines.push(line);
  const batches = lines.filter(({ batch }) => batch !== undefined);
  return { reported: batches.at(-1)?.batch ?? 0, last: lines.at(-1) };
}

describe("a writer that is killed", () => {
  it("keeps all that it reported, whole, however often and whenever", async () => {
    const kills = 15;
    let reported = 0;
    for (let kill = 0; kill < kills; kill++) {
      const child = start();
      const exited = once(child, "exit");
      // The writer goes on while its lines travel, so the kill hits it anywhere in a write.
      let left = 1 + Math.floor(Math.random() * 120);
      for await (const { batch, message } of linesOf(child)) {
        expect(message).toBeUndefined();
        reported = batch ?? reported;
        if (--left === 0) child.kill("SIGKILL");
      }
      await exited;
      await using store = await openSqliteStore({ path });
      const kept = await wholeBatches(store);
      expect(kept).toBeGreaterThanOrEqual(reported);
      reported = kept;
    }
    expect(reported).toBeGreaterThanOrEqual(kills);
  });

  it("has the lock while it lives, and no longer", async () => {
    const child = start();
    const exited = once(child, "exit");
    for await (const { batch } of linesOf(child)) {
      if (batch !== 1) continue;
      await expect(openSqliteStore({ path })).rejects.toMatchObject({ code: "ERR_STORE_LOCKED" });
      child.kill("SIGKILL");
    }
    await exited;
    await using store = await openSqliteStore({ path });
    expect(await wholeBatches(store)).toBeGreaterThanOrEqual(1);
  });

  it("keeps others out of its store, who say so", async () => {
    await using store = await openSqliteStore({ path });
    const { last } = await runUnder("env", []);
    expect(last).toMatchObject({
      code: "ERR_STORE_LOCKED",
      message: expect.stringContaining(path),
    });
    expect(await wholeBatches(store)).toBe(0);
  });
});

describe("a disk that refuses a write", () => {
  it("stops the store until it is opened again; nothing is half written", async () => {
    // A limit on the size of files makes write(2) fail as a broken disk would.
    const limited = 'trap "" XFSZ; ulimit -f 400; exec "$@"';
    const { reported, last } = await runUnder("sh", ["-c", limited, "sh"], "2000");
    expect(last).toMatchObject({
      code: "ERR_STORE_IO",
      next: "ERR_STORE_IO",
      stopped: expect.stringContaining(path),
    });
    expect(reported).toBeGreaterThan(5);
    await using store = await openSqliteStore({ path });
    expect(await wholeBatches(store)).toBeGreaterThanOrEqual(reported);
  });

  // A file system of its own takes user namespaces; without them there is nothing to fill.
  const unshare = ["-Urm", "sh", "-c"];
  const canMount =
    spawnSync("unshare", [...unshare, `mount -t tmpfs none ${tmpdir()}`]).status === 0;

  it.runIf(canMount)("for want of space, goes on as soon as there is some", async () => {
    // What was written is copied out, because the file system ends with the process.
    const kept = path;
    path = join(folder, "small", "agent.db");
    const script = `
      mkdir ${folder}/small && mount -t tmpfs -o size=512k none ${folder}/small
      head -c 65536 /dev/zero >${folder}/small/agent.db.ballast
      "$@"
      cp ${folder}/small/* ${folder}`;
    const { reported, last } = await runUnder("unshare", [...unshare, script, "sh"], "2000");
    expect(last).toMatchObject({
      code: "ERR_STORE_IO",
      message: expect.stringContaining("full"),
      next: "written",
      stopped: "no",
    });
    expect(reported).toBeGreaterThan(5);
    await using store = await openSqliteStore({ path: kept });
    expect(await wholeBatches(store)).toBe(reported);
    expect(await store.get(documents, "small")).toEqual({ batch: 0, padding: "" });
  });
});
