import { readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ProcessSupervisor } from "../src/index.ts";
import { eventually, isRunning, only, Workshop } from "./fixtures/workshop.ts";

let workshop: Workshop;
beforeEach(async () => {
  workshop = await Workshop.make();
});
afterEach(() => workshop[Symbol.asyncDispose]());

/** Starts a program and then lets the supervisor go; its pid. */
async function leave(program = workshop.sleeper()): Promise<number> {
  const supervisor = await workshop.open();
  const { pid = 0 } = (await supervisor.start("x", program)).status();
  await supervisor[Symbol.asyncDispose]();
  await eventually(async () => (await workshop.pids()).length > 0);
  return pid;
}

function hear(supervisor: ProcessSupervisor): string[] {
  const heard: string[] = [];
  for (const name of ["adopted", "started", "exited", "restarting", "stopped"] as const) {
    supervisor.on(name, () => heard.push(name));
  }
  return heard;
}

const life = async (): Promise<string> => only(join(workshop.root, "runs/x/lives"));

/** Changes the record on disk, as another version or another boot would have left it. */
async function editRecord(edit: (text: string) => string): Promise<void> {
  const path = join(workshop.root, "runs/x/record.json");
  await writeFile(path, edit(await readFile(path, "utf8")));
}

describe("a program that runs", () => {
  it("is adopted, with pid, tag and start time", async () => {
    const pid = await leave(workshop.sleeper({ tag: "v1" }));
    const supervisor = await workshop.open();
    const heard = hear(supervisor);
    const run = supervisor.get("x");
    expect(run?.tag).toBe("v1");
    expect(run?.status()).toMatchObject({ state: "running", pid, restarts: 0 });
    expect(Math.abs((run?.status().startedAt ?? 0) - Date.now())).toBeLessThan(20_000);
    await eventually(() => heard.length > 0);
    expect(heard).toEqual(["adopted"]);
    expect(await supervisor.start("x", workshop.sleeper({ tag: "v1" }))).toBe(run);
    expect(await workshop.running()).toEqual([pid]);
  });

  it("is stopped by whoever adopted it, who learns how it ended", async () => {
    await leave();
    const supervisor = await workshop.open();
    const run = supervisor.get("x");
    expect(await supervisor.stop("x")).toMatchObject({ code: 143, signal: "SIGTERM" });
    expect(await run?.exited).toMatchObject({ code: 143 });
    expect(await workshop.running()).toEqual([]);
    expect(await readdir(join(workshop.root, "runs"))).toEqual([]);
  });

  it("is restarted by whoever adopted it, in its environment", async () => {
    const script = 'echo "$A" >>"$0.a"; echo $$ >>"$0"; exec sleep 86400';
    const environment = { A: "it's", PATH: "/usr/bin:/bin" };
    const pid = await leave(workshop.shell(script, { restart: "always", environment }));
    const supervisor = await workshop.open();
    process.kill(pid, "SIGKILL");
    const run = supervisor.get("x");
    await eventually(async () => (await workshop.pids()).length === 2);
    await eventually(() => run?.status().restarts === 1);
    expect(run?.status().lastExit).toMatchObject({ code: 137, signal: "SIGKILL" });
    expect(run?.status().lastExit?.upMs).toBeGreaterThan(0);
    expect(await readFile(`${workshop.pidFile}.a`, "utf8")).toBe("it's\nit's\n");
    expect(await workshop.running()).toHaveLength(1);
  });

  it.runIf(process.platform === "linux")(
    "is watched also when its wrapper was killed",
    async () => {
      const supervisor = await workshop.open();
      const run = await supervisor.start("x", workshop.sleeper({ restart: "always" }));
      const { pid = 0 } = run.status();
      const stat = await readFile(`/proc/${pid}/stat`, "utf8");
      process.kill(Number(stat.split(" ")[3]), "SIGKILL");
      await eventually(async () => (await workshop.wrappers()) === 0);
      expect(await isRunning(pid)).toBe(true);
      expect(run.status()).toMatchObject({ state: "running", pid });
      process.kill(pid, "SIGKILL");
      await eventually(() => run.status().restarts === 1);
      expect(run.status().lastExit).toMatchObject({ code: null, signal: null });
      expect(await workshop.running()).not.toContain(pid);
    },
  );
});

describe("a program that ended meanwhile", () => {
  const gone = async (pid: number): Promise<void> => {
    process.kill(pid, "SIGKILL");
    await eventually(async () => !(await isRunning(pid)));
    await eventually(async () => (await workshop.wrappers()) === 0);
  };

  it("is reported with its status", async () => {
    await gone(await leave());
    const supervisor = await workshop.open();
    const heard = hear(supervisor);
    const run = supervisor.get("x");
    expect(await run?.exited).toMatchObject({ code: 137, signal: "SIGKILL" });
    expect(run?.status()).toMatchObject({ state: "ended", restarts: 0 });
    expect(heard).toEqual(["exited"]);
    expect(await supervisor.stop("x")).toMatchObject({ code: 137 });
    expect(supervisor.list()).toEqual([]);
  });

  it("is restarted where its settings say so", async () => {
    await gone(await leave(workshop.sleeper({ restart: "on-failure" })));
    const supervisor = await workshop.open();
    const heard = hear(supervisor);
    expect(supervisor.get("x")?.status().state).toBe("restarting");
    await eventually(async () => (await workshop.running()).length === 1);
    await eventually(() => heard.length === 3);
    expect(heard).toEqual(["exited", "restarting", "started"]);
  });

  it("is not restarted when it was being stopped", async () => {
    const pid = await leave(workshop.sleeper({ restart: "always" }));
    await editRecord((text) => text.replace('"intent":"run"', '"intent":"stop"'));
    const supervisor = await workshop.open();
    const run = supervisor.get("x");
    expect(run?.status()).toMatchObject({ state: "running", pid });
    process.kill(pid, "SIGKILL");
    expect(await run?.exited).toMatchObject({ code: 137 });
    expect(run?.status()).toMatchObject({ state: "ended", restarts: 0 });
  });

  it("has what it left behind killed by stop", async () => {
    const pid = await leave(
      workshop.shell('sleep 86400 & echo $! >>"$0"; echo $$ >>"$0"; exec sleep 86400'),
    );
    await eventually(async () => (await workshop.pids()).length === 2);
    await gone(pid);
    expect(await workshop.running()).toHaveLength(1);
    const supervisor = await workshop.open();
    expect(await supervisor.stop("x")).toMatchObject({ code: 137 });
    expect(await workshop.running()).toEqual([]);
  });
});

describe("what is not ours", () => {
  it("is not touched when it has the pid of a program that is gone", async () => {
    const pid = await leave();
    const folder = await life();
    const [note = ""] = await readdir(folder);
    // As if the program had ended, and this very process had got its number.
    await rename(join(folder, note), join(folder, `started.${process.pid}.123`));
    let signals = 0;
    const onSignal = (): void => void signals++;
    process.on("SIGTERM", onSignal);
    try {
      const supervisor = await workshop.open();
      expect(supervisor.get("x")?.status()).toMatchObject({ state: "ended" });
      expect(supervisor.get("x")?.status().lastExit).toMatchObject({ code: null, signal: null });
      await supervisor.stop("x");
      await new Promise((resolve) => setImmediate(resolve));
      expect(signals).toBe(0);
    } finally {
      process.off("SIGTERM", onSignal);
      process.kill(pid, "SIGKILL");
    }
  });

  it("is what another boot left", async () => {
    const pid = await leave(workshop.sleeper({ restart: "always" }));
    await editRecord((text) => text.replace(/"boot":"[^"]*"/, '"boot":"another"'));
    const supervisor = await workshop.open();
    expect(supervisor.list()).toEqual([]);
    expect(await readdir(join(workshop.root, "runs"))).toEqual([]);
    expect(await isRunning(pid)).toBe(true);
    process.kill(pid, "SIGKILL");
  });

  it("is nothing, where the root was emptied", async () => {
    const pid = await leave();
    await rm(workshop.root, { recursive: true });
    expect((await workshop.open()).list()).toEqual([]);
    process.kill(pid, "SIGKILL");
  });
});

describe("a record that makes no sense", () => {
  it.each(["", "{", "{}", "null", '{"format":2}'])("(%j) hides no process", async (text) => {
    const pid = await leave(workshop.sleeper({ restart: "always", tag: "v1" }));
    await editRecord(() => text);
    const supervisor = await workshop.open();
    expect(supervisor.get("x")?.status()).toMatchObject({ state: "running", pid });
    // It was not to be kept: a start takes its place.
    const run = await supervisor.start("x", workshop.sleeper({ tag: "v2" }));
    await eventually(async () => (await workshop.pids()).length === 2);
    expect(await workshop.running()).toEqual([run.status().pid]);
  });
});
