import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readFile, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { systemClock } from "@roboticks/core";
import type { Launcher, LauncherProgram } from "../launcher.ts";

/** Makes a fresh launcher; `dispose` ends it and frees what it holds. */
export type MakeLauncher = () => Promise<{
  readonly launcher: Launcher;
  dispose(): Promise<void>;
}>;

/** One rule that every launcher keeps. */
export interface LauncherCase {
  readonly name: string;
  /** Runs real programs of /bin/sh in a temporary folder; takes a few seconds at the most. */
  run(make: MakeLauncher): Promise<void>;
}

/** What a case works with. */
interface Bench {
  readonly launcher: Launcher;
  /** A folder of its own, gone afterwards. */
  readonly folder: string;
  /** A program that runs `script`, in the folder. */
  program(script: string, more?: Partial<LauncherProgram>): LauncherProgram;
  /** The content of a file that a program writes, once it has a whole line. */
  written(file: string): Promise<string>;
}

/** What a {@link Launcher} promises, as cases that any implementation can run. */
export const launcherContract: readonly LauncherCase[] = [
  rule("a program gets its arguments, its environment and folder, and nothing else", async (on) => {
    const script =
      'printf "%s|%s|%s|%s\\n" "$1" "$GREETING" "$HOME" "$(pwd -P)" > out; exec sleep 60';
    await on.launcher.start(
      "robot.main",
      on.program(script, {
        arguments: ["-c", script, "sh", 'a "b" $HOME'],
        environment: { PATH: systemPath, GREETING: "Moin Moin" },
      }),
    );
    const folder = await realpath(on.folder);
    assert.equal(await on.written("out"), `a "b" $HOME|Moin Moin||${folder}\n`);
  }),
  rule("what runs is known by name, with tag and process id", async (on) => {
    assert.equal(on.launcher.get("robot.main"), undefined);
    const run = await on.launcher.start("robot.main", on.program("exec sleep 60", { tag: "v1" }));
    assert.equal(run.name, "robot.main");
    assert.equal(run.tag, "v1");
    const { state, pid } = run.status();
    assert.equal(state, "running");
    assert.ok(pid !== undefined && (await isAlive(pid)));
    assert.equal(on.launcher.get("robot.main")?.status().pid, pid);
    assert.deepEqual(
      on.launcher.list().map(({ name }) => name),
      ["robot.main"],
    );
  }),
  rule("the same name and tag is the same run, not a second process", async (on) => {
    const program = on.program("exec sleep 60", { tag: "v1" });
    const first = await on.launcher.start("robot.main", program);
    const second = await on.launcher.start("robot.main", program);
    assert.equal(second.status().pid, first.status().pid);
    assert.equal(on.launcher.list().length, 1);
  }),
  rule("another tag is refused while the first runs, and harms it not", async (on) => {
    const run = await on.launcher.start("robot.main", on.program("exec sleep 60", { tag: "v1" }));
    await assert.rejects(
      on.launcher.start("robot.main", on.program("exec sleep 60", { tag: "v2" })),
    );
    assert.equal(run.status().state, "running");
    assert.equal(on.launcher.get("robot.main")?.tag, "v1");
  }),
  rule("after a stop the name is free for another tag", async (on) => {
    await on.launcher.start("robot.main", on.program("exec sleep 60", { tag: "v1" }));
    await on.launcher.stop("robot.main");
    const run = await on.launcher.start("robot.main", on.program("exec sleep 60", { tag: "v2" }));
    assert.equal(run.tag, "v2");
  }),
  rule("stopping what nobody knows is fine", async (on) => {
    assert.equal(await on.launcher.stop("robot.main"), undefined);
  }),
  rule("a stop ends the run, with the program's own exit code", async (on) => {
    const run = await on.launcher.start(
      "robot.main",
      on.program('trap "exit 3" TERM; echo ready > out; while :; do sleep 0.05; done'),
    );
    await on.written("out");
    const exit = await on.launcher.stop("robot.main");
    assert.equal(exit?.code, 3);
    assert.equal((await run.exited).code, 3);
    assert.notEqual(run.status().state, "running");
    assert.notEqual(on.launcher.get("robot.main")?.status().state, "running");
  }),
  rule("the signal to stop is the one that was asked for", async (on) => {
    await on.launcher.start(
      "robot.main",
      on.program('trap "exit 4" INT; echo ready > out; while :; do sleep 0.05; done', {
        stopSignal: "SIGINT",
      }),
    );
    await on.written("out");
    assert.equal((await on.launcher.stop("robot.main"))?.code, 4);
  }),
  rule("a stop takes children along, and kills those who do not listen", async (on) => {
    const deaf = 'trap "" TERM; echo $$ > FILE; while :; do sleep 0.05; done';
    await on.launcher.start(
      "robot.main",
      on.program(`sh -c '${deaf.replace("FILE", "child")}' & ${deaf.replace("FILE", "parent")}`, {
        stopGraceMs: 100,
      }),
    );
    const pids = [Number(await on.written("parent")), Number(await on.written("child"))];
    await on.launcher.stop("robot.main");
    assert.deepEqual(await Promise.all(pids.map(isAlive)), [false, false]);
  }),
  rule("a program that ends by itself is over, with code and last lines", async (on) => {
    const run = await on.launcher.start(
      "robot.main",
      on.program("echo reading the map; echo no map >&2; exit 5"),
    );
    const exit = await run.exited;
    assert.equal(exit.code, 5);
    assert.ok(exit.upMs >= 0);
    assert.deepEqual([...exit.lastLines].sort(), ["no map", "reading the map"]);
    assert.equal(run.status().state, "ended");
  }),
  rule("a program that ended can be started again by the same name and tag", async (on) => {
    const program = on.program("exit 0", { tag: "v1" });
    await (await on.launcher.start("robot.main", program)).exited;
    const again = await on.launcher.start("robot.main", on.program("exec sleep 60", { tag: "v1" }));
    assert.equal(again.status().state, "running");
  }),
  rule('"on-failure" starts again after a failure, and not after success', async (on) => {
    const script = "echo x >> tries; test $(wc -l < tries) -ge 2 && exit 0; exit 1";
    const run = await on.launcher.start(
      "robot.main",
      on.program(script, { restart: "on-failure" }),
    );
    assert.equal((await run.exited).code, 0);
    assert.equal(await readFile(join(on.folder, "tries"), "utf8"), "x\nx\n");
  }),
  rule("a program that is not there is refused, and nothing is left of it", async (on) => {
    const missing = on.program("", { command: join(on.folder, "missing") });
    await assert.rejects(on.launcher.start("robot.main", missing));
    assert.notEqual(on.launcher.get("robot.main")?.status().state, "running");
    const run = await on.launcher.start("robot.main", on.program("exec sleep 60"));
    assert.equal(run.status().state, "running");
  }),
  rule("a start that was called off does not start", async (on) => {
    const reason = new Error("enough");
    await assert.rejects(
      on.launcher.start("robot.main", on.program("echo x > out"), {
        signal: AbortSignal.abort(reason),
      }),
      reason,
    );
    assert.deepEqual(on.launcher.list(), []);
  }),
];

const systemPath = "/usr/bin:/bin";

function rule(name: string, work: (bench: Bench) => Promise<void>): LauncherCase {
  return {
    name,
    async run(make) {
      const folder = await mkdtemp(join(tmpdir(), "launcher-"));
      const { launcher, dispose } = await make();
      try {
        await work({
          launcher,
          folder,
          program: (script, more) => ({
            command: "/bin/sh",
            arguments: ["-c", script],
            environment: { PATH: systemPath },
            workingDirectory: folder,
            restart: "never",
            stopSignal: "SIGTERM",
            stopGraceMs: 5_000,
            tag: "",
            ...more,
          }),
          written: (file) => written(join(folder, file)),
        });
      } finally {
        await Promise.allSettled(launcher.list().map((run) => launcher.stop(run.name)));
        await dispose();
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
}

async function written(path: string): Promise<string> {
  for (let tries = 0; tries < 500; tries++) {
    const content = await readFile(path, "utf8").catch(() => ""); // not there yet
    if (content.endsWith("\n")) return content;
    await systemClock.sleep(20);
  }
  throw new Error(`the program wrote nothing to ${path} within 10 s`);
}

/** A process that ended and was not waited for yet still has its id, but does not live. */
async function isAlive(pid: number): Promise<boolean> {
  const { stdout } = await promisify(execFile)("ps", ["-o", "stat=", "-p", String(pid)]).catch(
    () => ({ stdout: "" }), // no such process
  );
  return stdout.trim() !== "" && !stdout.trim().startsWith("Z");
}
