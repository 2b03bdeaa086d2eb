import { readdir, readFile } from "node:fs/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Terminal, until } from "./terminal.ts";

let terminal: Terminal;
beforeEach(async () => {
  terminal = await Terminal.open();
});
afterEach(() => terminal[Symbol.asyncDispose]());

const one = { platforms: 1, agents: 1, workloads: 1 };

describe("roboticks dev", () => {
  it("ends everything at Ctrl-C, and goes on at the next start where it ended", async () => {
    const first = await terminal.dev();
    expect(await terminal.deploy("1.0.0")).toMatchObject({ status: 0 });
    expect(await first.greeting()).toBe("Hello from 1.0.0");
    expect(await terminal.census()).toEqual(one);
    const ended = await first.interrupt();
    expect(ended.status).toBe(0);
    expect(ended.stderr).not.toContain("    at ");
    expect(await terminal.processes()).toEqual([]);
    expect(await first.greeting()).toBeUndefined();

    const second = await terminal.dev();
    expect(second.ports).toEqual(first.ports);
    expect(await until("the answer", () => second.greeting())).toBe("Hello from 1.0.0");
    expect(await terminal.census()).toEqual(one);
    const { trust, deployment } = await terminal.agent();
    expect(trust?.pinned).toBe("dsn");
    expect(deployment?.running?.version).toBe("1.0.0");
    expect((await second.interrupt()).status).toBe(0);
    expect((await readdir(terminal.tmp)).concat(await readdir(terminal.home))).toEqual([]);
  });

  it("forgets everything with --fresh", async () => {
    const first = await terminal.dev();
    await terminal.deploy("1.0.0");
    const root = await readFile(terminal.path(".roboticks/keys/root.json"), "utf8");
    await first.interrupt();
    await terminal.dev("--fresh");
    expect(await terminal.json(["capsule", "list"])).toEqual([]);
    expect((await terminal.agent()).deployment).toEqual({ previous: [] });
    expect(await terminal.census()).toEqual({ ...one, workloads: 0 });
    expect(await readFile(terminal.path(".roboticks/keys/root.json"), "utf8")).not.toBe(root);
  });

  it("takes over after it was killed, and nothing is there twice", async () => {
    const first = await terminal.dev();
    await terminal.deploy("1.0.0");
    await first.kill();
    expect(await first.greeting()).toBe("Hello from 1.0.0");
    const left = await terminal.processes();

    const second = await terminal.dev();
    expect(second.ports).toEqual(first.ports);
    expect(await until("the answer", () => second.greeting())).toBe("Hello from 1.0.0");
    expect(await terminal.census()).toEqual(one);
    const now = (await terminal.processes()).map(({ pid }) => pid);
    expect(left.filter(({ pid }) => now.includes(pid))).toEqual([]);
    await second.interrupt();
    expect(await terminal.processes()).toEqual([]);
  });

  it("does not run twice in a folder; the first goes on", async () => {
    const first = await terminal.dev();
    await terminal.deploy("1.0.0");
    const before = await terminal.processes();
    for (const args of [[], ["--fresh"]]) {
      const second = await terminal.run(["dev", ...args]);
      expect(second.status).toBe(1);
      expect(second.stderr).toContain("[ERR_CLI_DEV_RUNNING]");
      expect(second.stderr).not.toContain("    at ");
    }
    expect(first.alive).toBe(true);
    expect(await terminal.processes()).toEqual(before);
    expect(await first.greeting()).toBe("Hello from 1.0.0");
  });

  it("has as many devices as it is told, each with a disk and a port of its own", async () => {
    const dev = await terminal.dev("--devices", "2");
    expect(new Set(dev.ports).size).toBe(2);
    expect((await terminal.deploy("1.0.0", "healthy", "device-2")).status).toBe(0);
    expect(await dev.greeting(1)).toBe("Hello from 1.0.0");
    expect(await dev.greeting(0)).toBeUndefined();
    expect((await terminal.agent("device-1")).capsules).toEqual([]);
    const { stdout } = await terminal.run(["device", "list"]);
    expect(stdout).toMatch(/^device-1 +nothing +nothing +- /m);
    expect(stdout).toMatch(/^device-2 +robot 1\.0\.0 +robot 1\.0\.0 +committed /m);
    await dev.interrupt();
    expect(await terminal.processes()).toEqual([]);
  });

  it.each(["--devices 0", "--devices many", "--tour --fresh", "--tour --devices 2", "--nonsense"])(
    "refuses %s, and makes nothing",
    async (args) => {
      const ran = await terminal.run(["dev", ...args.split(" ")]);
      expect(ran.status).toBe(2);
      expect(ran.stderr).not.toContain("    at ");
      expect(await readdir(terminal.folder)).toEqual([]);
    },
  );

  it("works however deep its folder is", async () => {
    await using deep = await Terminal.open(`${"a".repeat(90)}/${"b".repeat(90)}`);
    const dev = await deep.dev();
    expect((await deep.agent()).ready).toBe(true);
    expect((await dev.interrupt()).status).toBe(0);
    expect(await deep.processes()).toEqual([]);
  });

  it("says why when a part of it cannot start, and leaves nothing running", async () => {
    const first = await terminal.dev();
    await first.interrupt();
    await terminal.write(".roboticks/devices/device-1/agent.yaml", "name: [");
    const ran = await terminal.run(["dev"]);
    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain("device-1 ended (status 1); its last lines:  [ERR_CLI_DEV_START]");
    expect(ran.stderr).toContain("agent.yaml:1:");
    expect(ran.stderr).not.toContain("    at ");
    expect(await terminal.processes()).toEqual([]);
  });

  it("ends at Ctrl-C while it starts, too", async () => {
    const child = terminal.spawn(["dev"]);
    await until("the platform", async () => (await terminal.census()).platforms === 1);
    process.kill(-(child.pid ?? 0), "SIGINT");
    expect(await until("the end", () => child.exitCode ?? undefined)).toBe(130);
    expect(await terminal.processes()).toEqual([]);
  });
});
