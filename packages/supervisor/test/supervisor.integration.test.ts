import { chmod, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Exit, ProcessSupervisor } from "../src/index.ts";
import { eventually, isRunning, Workshop } from "./fixtures/workshop.ts";

const isLinux = process.platform === "linux";

let workshop: Workshop;
let supervisor: ProcessSupervisor;
beforeEach(async () => {
  workshop = await Workshop.make();
  supervisor = await workshop.open();
});
afterEach(() => workshop[Symbol.asyncDispose]());

describe("a program", () => {
  it("gets its arguments, its folder, and exactly its environment", async () => {
    const environment = { A: "É'\"$(x) `y` \\ \n2", PATH: "/usr/bin:/bin", life: "own" };
    const script = 'pwd; for a; do echo "<$a>"; done; env -0 | tr "\\000" ";"';
    const run = await supervisor.start("x", {
      command: "/bin/sh",
      arguments: ["-c", script, "sh", "a b", "", "$HOME", "-n"],
      environment,
      workingDirectory: workshop.folder,
    });
    await run.exited;
    const lines = await run.lastLines(100);
    expect(lines.slice(0, 5)).toEqual([workshop.folder, "<a b>", "<>", "<$HOME>", "<-n>"]);
    // Shells export some by themselves, here as the program.
    const variables = lines
      .slice(5)
      .join("\n")
      .split(";")
      .filter((pair) => !/^(PWD=|OLDPWD=|SHLVL=|_=|$)/.test(pair));
    expect(variables.sort()).toEqual(Object.entries(environment).map((pair) => pair.join("=")));
  });

  it("inherits nothing", async () => {
    const run = await supervisor.start("x", { command: "/usr/bin/env", workingDirectory: "/" });
    const { code, lastLines } = await run.exited;
    // Where /bin/sh is bash it adds these two.
    const inherited = lastLines.filter((line) => !/^(SHLVL|_)=/.test(line));
    expect({ code, inherited }).toEqual({ code: 0, inherited: [] });
  });

  it("is found on the PATH of its environment", async () => {
    const run = await supervisor.start("x", {
      command: "true",
      environment: { PATH: "/nowhere:/usr/bin:/bin" },
      workingDirectory: "/",
    });
    expect(await run.exited).toMatchObject({ code: 0, signal: null });
  });

  it("is not shown with what ran under its name before", async () => {
    const first = await supervisor.start("x", workshop.shell("echo first"));
    await first.exited;
    const second = await supervisor.start("x", { ...workshop.shell("echo second"), tag: "2" });
    expect((await second.exited).lastLines).toEqual(["second"]);
  });

  it("tells how it ended, with its last lines", async () => {
    const failed = await supervisor.start("a/b", workshop.shell("seq 30; echo bad >&2; exit 3"));
    const exit = await failed.exited;
    expect(exit).toMatchObject({ code: 3, signal: null });
    expect(exit.lastLines).toEqual([...Array.from({ length: 19 }, (_, i) => `${i + 12}`), "bad"]);
    expect(failed.status()).toMatchObject({ state: "ended", lastExit: exit, restarts: 0 });
    expect(failed.status().pid).toBeUndefined();
    expect(await readFile(join(workshop.root, "logs/a+b/current.log"), "utf8")).toContain("bad\n");

    const crashed = await supervisor.start("c", workshop.shell("kill -SEGV $$"));
    expect(await crashed.exited).toMatchObject({ code: 139, signal: "SIGSEGV", lastLines: [] });
  });

  it("finds every signal as the system has it by default", async () => {
    const run = await supervisor.start("x", workshop.shell("kill -INT $$; kill -QUIT $$; exit 9"));
    expect(await run.exited).toMatchObject({ code: 130, signal: "SIGINT" });
  });

  it("has a pid and a start time while it runs", async () => {
    const run = await supervisor.start("x", workshop.sleeper({ tag: "v1" }));
    const { pid = 0, startedAt = 0, ...status } = run.status();
    expect(status).toEqual({ state: "running", restarts: 0, crashLooping: false });
    expect(Math.abs(startedAt - Date.now())).toBeLessThan(20_000);
    await eventually(async () => (await workshop.pids()).length === 1);
    expect(await workshop.pids()).toEqual([pid]);
    expect(supervisor.get("x")).toBe(run);
    expect(supervisor.list()).toEqual([run]);
    expect(run).toMatchObject({ name: "x", tag: "v1" });
  });
});

describe("start", () => {
  it("is done once for one name and tag, and refuses another tag", async () => {
    const runs = await Promise.all([
      supervisor.start("x", workshop.sleeper({ tag: "v1" })),
      supervisor.start("x", workshop.sleeper({ tag: "v1" })),
    ]);
    expect(runs[0]).toBe(runs[1]);
    await expect(supervisor.start("x", workshop.sleeper({ tag: "v2" }))).rejects.toMatchObject({
      code: "ERR_SUPERVISOR_ALREADY_RUNNING",
    });
    await eventually(async () => (await workshop.pids()).length > 0);
    expect(await workshop.running()).toHaveLength(1);
  });

  it("starts anew what has ended", async () => {
    const first = await supervisor.start("x", workshop.shell("exit 1"));
    await first.exited;
    const second = await supervisor.start("x", workshop.sleeper());
    expect(second).not.toBe(first);
    expect(supervisor.get("x")).toBe(second);
  });

  it.each([
    ["a command that is not there", { command: "/nonexistent" }],
    ["a command that is a folder", { command: "/usr/bin" }],
    ["a name without a PATH", { command: "true", environment: {} }],
    ["a name that no folder holds", { command: "no-such-program" }],
    ["a missing working directory", { workingDirectory: "/nonexistent" }],
    ["a working directory that is a file", { workingDirectory: "/bin/sh" }],
    ["arguments that are too long", { arguments: ["x".repeat(3_000_000)] }],
    ["an environment that is too long", { environment: { A: "x".repeat(3_000_000) } }],
  ])("fails with a reason for %s", async (_, more) => {
    await expect(supervisor.start("x", workshop.sleeper(more))).rejects.toMatchObject({
      code: "ERR_SUPERVISOR_SPAWN_FAILED",
    });
    expect(supervisor.get("x")).toBeUndefined();
    await eventually(async () => (await workshop.wrappers()) === 0);
  });

  it("fails when only the system knows that a file cannot be executed", async () => {
    const command = join(workshop.folder, "script");
    await writeFile(command, "#!/nonexistent/interpreter\n");
    await expect(supervisor.start("x", workshop.sleeper({ command }))).rejects.toMatchObject({
      code: "ERR_SUPERVISOR_SPAWN_FAILED",
      message: expect.stringContaining("cannot be executed"),
    });
    await chmod(command, 0o755);
    await expect(
      supervisor.start("x", workshop.sleeper({ command, restart: "always" })),
    ).rejects.toMatchObject({
      code: "ERR_SUPERVISOR_SPAWN_FAILED",
      message: expect.stringContaining("interpreter"),
    });
    expect(supervisor.list()).toEqual([]);
    // A program that uses the same status by itself was executed all the same.
    const run = await supervisor.start("x", workshop.shell("exit 127"));
    expect(await run.exited).toMatchObject({ code: 127 });
  });
});

describe("stop", () => {
  it("sends the stop signal and tells how the program ended", async () => {
    const script = 'trap "echo bye; exit 5" USR1; echo $$ >>"$0"; while :; do sleep 0.01; done';
    const run = await supervisor.start("x", workshop.shell(script, { stopSignal: "SIGUSR1" }));
    await eventually(async () => (await workshop.pids()).length === 1);
    const exit = await supervisor.stop("x");
    expect(exit).toMatchObject({ code: 5, signal: null });
    expect(exit?.lastLines).toContain("bye");
    expect(await run.exited).toBe(exit);
    expect(run.status().state).toBe("ended");
    expect(supervisor.get("x")).toBeUndefined();
    expect(await supervisor.stop("x")).toBeUndefined();
    expect(await supervisor.stop("never-seen")).toBeUndefined();
  });

  it("kills what ignores it", async () => {
    const script = 'trap "" TERM; echo $$ >>"$0"; while :; do sleep 0.01; done';
    await supervisor.start("x", workshop.shell(script, { stopGraceMs: 50 }));
    await eventually(async () => (await workshop.pids()).length === 1);
    expect(await supervisor.stop("x")).toMatchObject({ code: 137, signal: "SIGKILL" });
    expect(await workshop.running()).toEqual([]);
  });

  it.runIf(isLinux)(
    "ends daemons of the session, other groups of it, and children in other sessions",
    async () => {
      const script = `
      set -m # every job below gets a process group of its own
      (trap "" TERM; (sh -c 'echo $$ >>"$0"; exec sleep 86400' "$0" &) ) & wait
      (sh -c 'echo $$ >>"$0"; exec sleep 86400' "$0" &)
      setsid --wait sh -c 'trap "" TERM; echo $$ >>"$0"; while :; do sleep 0.1; done' "$0" &
      echo $$ >>"$0"
      exec sleep 86400`;
      const args = ["-c", script, workshop.pidFile];
      const more = { command: "/bin/bash", arguments: args, stopGraceMs: 200 };
      await supervisor.start("x", workshop.sleeper(more));
      await eventually(async () => (await workshop.pids()).length === 4);
      expect(await workshop.running()).toHaveLength(4);
      expect(await supervisor.stop("x")).toMatchObject({ signal: "SIGTERM" });
      expect(await workshop.running()).toEqual([]);
    },
  );

  it("gives the whole tree its grace, not only its root", async () => {
    const child = `trap 'sleep 0.2; echo saved >>"$0.saved"; exit' TERM; echo $$ >>"$0"; while :; do sleep 0.01; done`;
    const script = `sh -c '${child.replaceAll("'", `'\\''`)}' "$0" & exec sleep 86400`;
    await supervisor.start("x", workshop.shell(script));
    await eventually(async () => (await workshop.pids()).length === 1);
    await supervisor.stop("x");
    expect(await readFile(`${workshop.pidFile}.saved`, "utf8")).toBe("saved\n");
    expect(await workshop.running()).toEqual([]);
  });

  it("goes on when nobody waits for it any more", async () => {
    const script = 'trap "echo $$ >>$0" TERM; echo $$ >>"$0"; while :; do sleep 0.01; done';
    const run = await supervisor.start("x", workshop.shell(script, { stopGraceMs: 200 }));
    await eventually(async () => (await workshop.pids()).length === 1);
    const abort = new AbortController();
    const stopped = supervisor.stop("x", { signal: abort.signal });
    await eventually(async () => (await workshop.pids()).length === 2);
    abort.abort(new Error("enough"));
    await expect(stopped).rejects.toThrow("enough");
    // It is still asked for: what comes next for that name waits for it.
    const next = await supervisor.start("x", workshop.sleeper({ tag: "v2" }));
    expect(await run.exited).toMatchObject({ code: 137, signal: "SIGKILL" });
    expect(next.status().state).toBe("running");
  });
});

describe("restart", () => {
  it("is at once after a first crash, and takes the dead program's children along", async () => {
    const heard: string[] = [];
    for (const name of ["started", "exited", "restarting", "stopped"] as const) {
      supervisor.on(name, (event) => heard.push(`${name} ${event.name}`));
    }
    const script = 'sleep 86400 & echo $! >>"$0"; echo $$ >>"$0"; exec sleep 86400';
    const run = await supervisor.start("x", workshop.shell(script, { restart: "on-failure" }));
    const { pid = 0 } = run.status();
    await eventually(async () => (await workshop.pids()).length === 2);
    process.kill(pid, "SIGKILL");
    await eventually(async () => (await workshop.pids()).length === 4);
    await eventually(async () => (await workshop.running()).length === 2);
    expect(run.status()).toMatchObject({ state: "running", restarts: 1, crashLooping: false });
    expect(run.status().lastExit).toMatchObject({ code: 137, signal: "SIGKILL" });
    expect(run.status().pid).not.toBe(pid);
    await supervisor.stop("x");
    expect(heard).toEqual(
      ["started", "exited", "restarting", "started", "exited", "stopped"].map(
        (name) => `${name} x`,
      ),
    );
    expect(await workshop.running()).toEqual([]);
  });

  it("is not done by on-failure after a success, nor by never", async () => {
    const succeeded = await supervisor.start(
      "x",
      workshop.shell("exit 0", { restart: "on-failure" }),
    );
    const failed = await supervisor.start("y", workshop.shell("exit 1", { restart: "never" }));
    expect(await succeeded.exited).toMatchObject({ code: 0 });
    expect(await failed.exited).toMatchObject({ code: 1 });
    expect([succeeded.status().restarts, failed.status().restarts]).toEqual([0, 0]);
  });

  it("goes on in a crash loop, which is told once; stop ends the pause", async () => {
    const quick = await workshop.open({
      root: join(workshop.folder, "quick"),
      restartBackoff: { initialMs: 1, capMs: 20 },
      crashLoop: { exits: 3 },
    });
    const loops: Exit[] = [];
    const delays: number[] = [];
    quick.on("crashLooped", ({ lastExit }) => loops.push(lastExit));
    quick.on("restarting", ({ delayMs }) => delays.push(delayMs));
    const run = await quick.start("x", workshop.shell("echo no; exit 7", { restart: "always" }));
    await eventually(() => delays.length >= 5);
    expect(delays.slice(0, 5)).toEqual([0, 1, 20, 20, 20]);
    expect(loops).toMatchObject([{ code: 7 }]);
    expect(run.status().crashLooping).toBe(true);
    expect(await quick.stop("x")).toMatchObject({ code: 7 });
    expect(await run.exited).toMatchObject({ code: 7 });
  });

  it("waiting is ended by stop", async () => {
    const run = await supervisor.start("x", workshop.shell("exit 7", { restart: "always" }));
    // At once the first time, then after 500 ms.
    await eventually(() => run.status().state === "restarting" && run.status().restarts === 1);
    expect(await supervisor.stop("x")).toMatchObject({ code: 7 });
    expect(run.status()).toMatchObject({ state: "ended", restarts: 1 });
  });
});

describe("dispose", () => {
  it("leaves the program running and tells those who wait", async () => {
    const run = await supervisor.start("x", workshop.sleeper({ restart: "always" }));
    const { pid = 0 } = run.status();
    await supervisor[Symbol.asyncDispose]();
    await supervisor[Symbol.asyncDispose]();
    await expect(run.exited).rejects.toMatchObject({ code: "ERR_SUPERVISOR_CLOSED" });
    await expect(supervisor.stop("x")).rejects.toMatchObject({ code: "ERR_SUPERVISOR_CLOSED" });
    await expect(supervisor.start("y", workshop.sleeper())).rejects.toMatchObject({
      code: "ERR_SUPERVISOR_CLOSED",
    });
    expect(await isRunning(pid)).toBe(true);
  });
});

describe("open", () => {
  it("refuses a root that cannot be used", async () => {
    const file = join(workshop.folder, "file");
    await writeFile(file, "");
    await expect(workshop.open({ root: file })).rejects.toMatchObject({
      code: "ERR_SUPERVISOR_ROOT_UNUSABLE",
    });
  });
});
