import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { type Capsule, CapsuleManager, type Launcher } from "../src/index.ts";
import { forever, type TestCapsuleOptions, testCapsule } from "./archives.ts";
import { ProcessLauncher } from "./process-launcher.ts";

let root: string;
let launcher: ProcessLauncher;
let capsules: CapsuleManager;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "capsule-run-"));
  launcher = new ProcessLauncher();
  capsules = await CapsuleManager.open({ root, launcher, diskReserveBytes: 0 });
});
afterEach(async () => {
  await Promise.all(launcher.list().map(({ name }) => launcher.stop(name)));
  await capsules[Symbol.asyncDispose]();
  await rm(root, { recursive: true });
});

const install = async (options: TestCapsuleOptions = {}): Promise<Capsule> => {
  const { archive, digest } = testCapsule(options);
  const file = join(root, "archive.tar.gz");
  await writeFile(file, archive);
  return capsules.install({ url: pathToFileURL(file).href, digest });
};

const names = (of: Launcher = launcher) => of.list().map(({ name }) => name);

const two = {
  files: { "bin/main": forever, "bin/side": forever },
  processes: { main: { command: "bin/main" }, side: { command: "./bin/side" } },
};

describe("start", () => {
  it("gives a process its folders, its environment, and nothing of ours", async () => {
    const script =
      '#!/bin/sh\npwd -P >"$ROBOTICKS_DATA_DIR/out"; env | sort >>"$HOME/out"; exit 7\n';
    const capsule = await install({
      files: { "bin/main": script },
      processes: {
        main: { command: "bin/main", restart: "never", environment: { MAP: "1", LOG: "info" } },
      },
    });
    const run = await capsules.start(capsule, {
      as: "guide",
      environment: { MAP: "2", ROBOTICKS_DATA_DIR: "/elsewhere" },
    });
    expect(await run.exited).toMatchObject({ code: 7 });
    const data = join(root, "data/guide");
    const [folder, ...environment] = (await readFile(join(data, "out"), "utf8")).trim().split("\n");
    expect(folder).toBe(capsule.path);
    const own = environment.filter((line) => !/^(PWD|SHLVL|_|OLDPWD)=/.test(line));
    expect(own).toEqual([
      `HOME=${data}`,
      "LANG=C.UTF-8",
      "LOG=info",
      "MAP=2",
      "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
      `ROBOTICKS_CAPSULE_DIR=${capsule.path}`,
      `ROBOTICKS_DATA_DIR=${data}`,
    ]);
    expect((await stat(data)).mode & 0o777).toBe(0o700);
  });

  it("starts every process, under the capsule's own name unless told otherwise", async () => {
    const run = await capsules.start(await install(two));
    expect(run.as).toBe("hello");
    expect(run.processes.map(({ name }) => name)).toEqual(["main", "side"]);
    expect(names()).toEqual(["hello.main", "hello.side"]);
  });

  it("with the same tag changes nothing", async () => {
    const capsule = await install(two);
    const first = await capsules.start(capsule, { tag: "d1" });
    const pids = first.processes.map(({ run }) => run.status().pid);
    const second = await capsules.start(capsule, { tag: "d1" });
    expect(second.processes.map(({ run }) => run.status().pid)).toEqual(pids);
    expect(second.tag).toBe("d1");
  });

  it("without a tag knows the same capsule and environment again, and only those", async () => {
    const capsule = await install(two);
    const first = await capsules.start(capsule, { environment: { MAP: "1" } });
    const second = await capsules.start(capsule, { environment: { MAP: "1" } });
    expect(second.tag).toBe(first.tag);
    await expect(capsules.start(capsule, { environment: { MAP: "2" } })).rejects.toMatchObject({
      code: "ERR_CAPSULE_ALREADY_RUNNING",
    });
  });

  it("refuses another tag while it runs, and harms nothing", async () => {
    const capsule = await install(two);
    const first = await capsules.start(capsule, { tag: "d1" });
    await expect(capsules.start(capsule, { tag: "d2" })).rejects.toMatchObject({
      code: "ERR_CAPSULE_ALREADY_RUNNING",
    });
    expect(first.processes.map(({ run }) => run.status().state)).toEqual(["running", "running"]);
    await first.stop();
    expect((await capsules.start(capsule, { tag: "d2" })).tag).toBe("d2");
  });

  it("stops the others again when one cannot be started", async () => {
    const capsule = await install({
      files: { "bin/main": forever, "bin/side": "no program" },
      processes: two.processes,
    });
    await expect(capsules.start(capsule)).rejects.toMatchObject({
      code: "ERR_CAPSULE_START_FAILED",
      message: expect.stringContaining("hello.side"),
      retryable: false,
      cause: expect.objectContaining({ code: "EACCES" }),
    });
    expect(names()).toEqual([]);
    expect(capsules.get("hello")).toBeUndefined();
  });

  it.each([
    ["EAGAIN", true],
    ["EMFILE", true],
    ["ENOSPC", true],
    ["ENOENT", false],
    ["EACCES", false],
  ])("that fails with %s may be tried again: %s", async (code, retryable) => {
    const refused = Object.assign(new Error(`spawn ${code}`), { code });
    for (const error of [refused, new Error("the program was not started", { cause: refused })]) {
      const start = vi.spyOn(launcher, "start").mockRejectedValueOnce(error);
      await expect(capsules.start(await install(two))).rejects.toMatchObject({
        code: "ERR_CAPSULE_START_FAILED",
        retryable,
        cause: error,
      });
      start.mockRestore();
    }
  });

  it("that was called off leaves nothing running", async () => {
    const capsule = await install(two);
    const abort = new AbortController();
    const reason = new Error("enough");
    const calledOff: Launcher = {
      start: async (name, program, options) => {
        if (name === "hello.side") abort.abort(reason);
        return launcher.start(name, program, options);
      },
      stop: (name) => launcher.stop(name),
      get: (name) => launcher.get(name),
      list: () => launcher.list(),
    };
    await using other = await CapsuleManager.open({ root, launcher: calledOff });
    await expect(other.start(capsule, { signal: abort.signal })).rejects.toBe(reason);
    expect(names()).toEqual([]);
  });

  it.each(["", "a.b", "../up", "A"])("refuses the name %j", async (as) => {
    const capsule = await install();
    await expect(capsules.start(capsule, { as })).rejects.toMatchObject({
      code: "ERR_CAPSULE_NAME",
    });
  });

  it("needs a launcher", async () => {
    const capsule = await install();
    await using without = await CapsuleManager.open({ root });
    await expect(without.start(capsule)).rejects.toMatchObject({ code: "ERR_CAPSULE_NO_LAUNCHER" });
    await expect(without.stop("hello")).rejects.toMatchObject({ code: "ERR_CAPSULE_NO_LAUNCHER" });
  });
});

describe("stop and get", () => {
  it("know a use again after a restart of the agent, through the launcher", async () => {
    await capsules.start(await install(two), { as: "guide", tag: "d1" });
    await capsules[Symbol.asyncDispose]();
    await using later = await CapsuleManager.open({ root, launcher });
    const run = later.get("guide");
    expect(run?.tag).toBe("d1");
    expect(run?.processes.map(({ name }) => name)).toEqual(["main", "side"]);
    await later.stop("guide");
    expect(names()).toEqual([]);
  });

  it("leave other uses alone, also those whose names begin alike", async () => {
    const capsule = await install();
    await capsules.start(capsule, { as: "guide" });
    await capsules.start(capsule, { as: "guide-2" });
    await capsules.stop("guide");
    await capsules.stop("guide");
    expect(names()).toEqual(["guide-2.main"]);
  });

  it("keep the data", async () => {
    const capsule = await install();
    const run = await capsules.start(capsule);
    const kept = join(root, "data/hello/kept");
    await writeFile(kept, "x");
    await run.stop();
    await capsules.remove(capsule.digest);
    expect(await readFile(kept, "utf8")).toBe("x");
  });

  it("say which process could not be stopped, after stopping the others", async () => {
    await capsules.start(await install(two));
    const stubborn: Launcher = {
      start: (name, program, options) => launcher.start(name, program, options),
      stop: async (name) => {
        if (name === "hello.main") throw new Error("hello.main does not stop");
        return launcher.stop(name);
      },
      get: (name) => launcher.get(name),
      list: () => launcher.list(),
    };
    await using other = await CapsuleManager.open({ root, launcher: stubborn });
    await expect(other.stop("hello")).rejects.toMatchObject({
      code: "ERR_CAPSULE_STOP_FAILED",
      message: expect.stringContaining("hello.main does not stop"),
    });
    expect(names()).toEqual(["hello.main"]);
  });
});
