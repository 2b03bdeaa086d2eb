import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Program } from "../src/index.ts";
import { eventually, isRunning, Workshop } from "./fixtures/workshop.ts";

let workshop: Workshop;
beforeEach(async () => {
  workshop = await Workshop.make();
});
afterEach(() => workshop[Symbol.asyncDispose]());

const script = join(import.meta.dirname, "fixtures/owner.ts");

function owner(program: Program, killAt = "-", verb = "start"): ChildProcess {
  const args = [workshop.root, JSON.stringify(program), killAt, verb];
  return spawn(process.execPath, ["--conditions=@roboticks/source", script, ...args], {
    stdio: ["ignore", "pipe", "inherit"],
  });
}

const ended = (child: ChildProcess): Promise<NodeJS.Signals | null> =>
  new Promise((resolve) => child.once("exit", (_code, signal) => resolve(signal)));

const said = (child: ChildProcess, word: string): Promise<void> =>
  new Promise((resolve) =>
    child.stdout?.on("data", (data) => `${data}`.includes(word) && resolve()),
  );

/**
 * Opens the root that was left, starts the same program, and checks that there is exactly one;
 * then stops it and checks that there is none.
 */
async function expectOneAtMost(program: Program): Promise<void> {
  const supervisor = await workshop.open();
  const found = supervisor.get("robot")?.status();
  const before = await workshop.running();
  expect(before.length).toBeLessThanOrEqual(1);
  const run = await supervisor.start("robot", program);
  await eventually(async () => (await workshop.running()).length > 0);
  // Wrappers that were late have given up once only the one that waits is left.
  await eventually(async () => (await workshop.wrappers()) === 1);
  expect(await workshop.running()).toEqual([run.status().pid]);
  if (found?.state === "running" && found.pid) expect(run.status().pid).toBe(found.pid);
  await supervisor.stop("robot");
  expect(await workshop.running()).toEqual([]);
  await eventually(async () => (await workshop.wrappers()) === 0);
  expect(await readdir(join(workshop.root, "runs"))).toEqual([]);
  await supervisor[Symbol.asyncDispose]();
}

describe("an owner killed while it starts a program", () => {
  it.each([
    "recorded the intent to start a run",
    "made the folder of a life",
    "spawned a wrapper",
    "a program was started",
  ])("(%s) leaves one process or none, and the next start makes no second", async (killAt) => {
    for (const restart of ["never", "always"] as const) {
      const program = workshop.sleeper({ restart, tag: "v1" });
      expect(await ended(owner(program, killAt))).toBe("SIGKILL");
      await expectOneAtMost(program);
    }
  });

  it("at any moment leaves one process or none", async () => {
    const program = workshop.sleeper({ restart: "always", tag: "v1" });
    const runs = join(workshop.root, "runs");
    // Ever more looks at the disk after the intent was there, which takes ever longer.
    for (let looks = 0; looks < 1_000; looks += 80) {
      const child = owner(program);
      const gone = ended(child);
      await eventually(() => existsSync(join(runs, "robot")));
      for (let look = 0; look < looks; look++) readdirSync(runs);
      child.kill("SIGKILL");
      await gone;
      await expectOneAtMost(program);
    }
  });
});

describe("an owner killed while a program runs", () => {
  it("leaves it running; the next one adopts it", async () => {
    const program = workshop.sleeper({ restart: "always", tag: "v1" });
    const child = owner(program);
    const gone = ended(child);
    await said(child, "ready");
    child.kill("SIGKILL");
    await gone;
    const supervisor = await workshop.open();
    const { state, pid = 0 } = supervisor.get("robot")?.status() ?? {};
    expect(state).toBe("running");
    expect(await isRunning(pid)).toBe(true);
    await supervisor[Symbol.asyncDispose]();
    await expectOneAtMost(program);
  });

  it.each(["made the folder of a life#2", "spawned a wrapper#2", "a program was started#2"])(
    "(restarting it: %s) leaves one process or none, which is kept",
    async (killAt) => {
      const program = workshop.shell(
        'if [ -e "$0" ]; then echo $$ >>"$0"; exec sleep 86400; fi; : >"$0"; exit 3',
        { restart: "on-failure", tag: "v1" },
      );
      expect(await ended(owner(program, killAt))).toBe("SIGKILL");
      const supervisor = await workshop.open();
      await eventually(async () => (await workshop.running()).length === 1);
      await eventually(async () => (await workshop.wrappers()) === 1);
      await eventually(() => supervisor.get("robot")?.status().state === "running");
      expect(await workshop.running()).toEqual([supervisor.get("robot")?.status().pid]);
      await supervisor[Symbol.asyncDispose]();
      await expectOneAtMost(program);
    },
  );
});

describe("an owner killed while it stops a program", () => {
  it("does not have it restarted; the next stop completes it", async () => {
    const script = 'trap "echo $$ >>$0" TERM; echo $$ >>"$0"; while :; do sleep 0.01; done';
    const program = workshop.shell(script, { restart: "always", tag: "v1" });
    const child = owner(program, "-", "stop");
    const gone = ended(child);
    await said(child, "stopping");
    // It has got the signal, and goes on in its grace.
    await eventually(async () => (await workshop.pids()).length >= 2);
    child.kill("SIGKILL");
    await gone;
    const supervisor = await workshop.open();
    const run = supervisor.get("robot");
    expect(run?.status().state).toBe("running");
    process.kill(run?.status().pid ?? 0, "SIGKILL");
    expect(await run?.exited).toMatchObject({ signal: "SIGKILL" });
    expect(run?.status()).toMatchObject({ state: "ended", restarts: 0 });
    expect(await supervisor.stop("robot")).toMatchObject({ signal: "SIGKILL" });
    await eventually(async () => (await workshop.wrappers()) === 0);
  });

  it("(before the first signal) leaves it to be stopped again", async () => {
    const program = workshop.sleeper({ restart: "always", tag: "v1" });
    expect(await ended(owner(program, "recorded the intent to stop a run", "stop"))).toBe(
      "SIGKILL",
    );
    const supervisor = await workshop.open();
    expect(supervisor.get("robot")?.status().state).toBe("running");
    expect(await supervisor.stop("robot")).toMatchObject({ signal: "SIGTERM" });
    await expectOneAtMost(program);
  });
});
