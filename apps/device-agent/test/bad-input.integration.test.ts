import { chmod, readFile, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { formatDsn } from "@roboticks/spec/dsn";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Device, Lab, until } from "./harness.ts";

const wrongKey = "k".repeat(32);
let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
  await lab.push("1.0.0");
  await lab.push("2.0.0");
});
afterAll(() => lab[Symbol.asyncDispose]());

/** A device that runs 1.0.0, and whose agent is off. */
async function runningFirst(name: string): Promise<Device> {
  const device = await lab.device(name);
  await device.start();
  await device.deploy(await lab.deployment("1.0.0"));
  expect((await device.settled()).latest?.state).toBe("committed");
  await device.killAgent("SIGTERM");
  return device;
}

/** Runs an agent that is to end by itself. */
async function runAgent(...args: string[]): Promise<{ status: number | null; said: string }> {
  const child = lab.spawn(
    resolve(import.meta.dirname, "../../../tooling/bin/roboticks-agent"),
    args,
  );
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (text: string) => {
      said += text;
    });
  }
  const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { status, said };
}

/** The agent ends by itself, with `code` and words instead of a stack. */
async function refusesToRun(device: Device, code: string): Promise<string> {
  device.spawnAgent();
  const { code: status } = await device.agentEnded();
  const output = await until(
    "what it said",
    () => device.output.includes(`[${code}]`) && device.output,
  );
  expect(status).toBe(1);
  expect(output).not.toMatch(/^ {4}at /m);
  return output;
}

describe("a DSN that is no good", () => {
  it.each([
    ["another key", "ERR_PLATFORM_DSN_KEY", () => ({ ...lab.dsn, key: wrongKey })],
    ["another project", "ERR_PLATFORM_NOT_FOUND", () => ({ ...lab.dsn, project: "other" })],
    [
      "the digest of another root",
      "ERR_AGENT_ENROLMENT",
      () => ({ ...lab.dsn, rootDigest: `sha256:${"0".repeat(64)}` as const }),
    ],
  ])("ends an agent that has nothing to run: %s", async (what, code, dsn) => {
    const device = await lab.device(what.replaceAll(" ", "-"), formatDsn(dsn()));
    await refusesToRun(device, code);
    expect(device.output).not.toContain(dsn().key);
  });

  it.each([
    ["no-dsn", "has a password", `https://${wrongKey}:x@fleet.example.com/p`],
    ["plain-http", "is not https", `http://${wrongKey}@fleet.example.com/p`],
  ])("is not tried at all: %s", async (name, why, text) => {
    const said = await refusesToRun(await lab.device(name, text), "ERR_SPEC_DSN");
    expect(said).toContain(`the DSN ${why}`);
    expect(said).not.toContain(wrongKey);
  });

  it("is not read from a file that others can read, nor from one that is not there", async () => {
    const device = await lab.device("exposed");
    const file = join(device.settings, "../dsn");
    await chmod(file, 0o640);
    const said = await refusesToRun(device, "ERR_AGENT_DSN");
    expect(said).toContain("mode 640); chmod 600 it");
    expect(said).not.toContain(lab.dsn.key);
    await rm(file);
    expect(await refusesToRun(device, "ERR_AGENT_DSN")).toContain("see dsnFile in the settings");
  });

  it("does not disturb what an enrolled device runs, nor the next order", async () => {
    const device = await runningFirst("key-changed");
    const before = await device.workloads();
    await device.prepare(formatDsn({ ...lab.dsn, key: wrongKey }));
    await device.start();
    expect(await device.workloads()).toEqual(before);
    await device.deploy(await lab.deployment("2.0.0"));
    expect((await device.settled()).running?.version).toBe("2.0.0");
    expect(await device.greeting()).toBe("Hello from 2.0.0");
  });

  it("of another project leaves alone what an enrolled device runs, and says why", async () => {
    const device = await runningFirst("project-changed");
    const before = await device.workloads();
    await device.prepare(formatDsn({ ...lab.dsn, project: "other" }));
    await device.start();
    await until("the refusal", () => device.output.includes("enrolled in project default"));
    expect(await device.workloads()).toEqual(before);
    expect(await device.greeting()).toBe("Hello from 1.0.0");
    const { platform, ready } = await device.local.status();
    expect([ready, platform?.connected]).toEqual([true, false]);
  });
});

describe("a platform that cannot be reached", () => {
  it("is waited for, though nothing runs", async () => {
    const device = await lab.device("lonely", `http://${wrongKey}@127.0.0.1:9/default`);
    await device.start();
    const { lastError } = await until("the first failure", async () => {
      const { platform } = await device.local.status();
      return platform?.lastError !== undefined && platform;
    });
    expect(lastError).toContain("127.0.0.1:9");
    await device.prepare(formatDsn(lab.dsn));
    await device.killAgent("SIGTERM");
    await device.start();
    expect(await until("the enrolment", () => device.record())).toMatchObject({ name: "lonely" });
  });
});

describe("a second agent on a root", () => {
  it("is refused, and the first goes on", async () => {
    const device = await runningFirst("twice");
    await device.start();
    const before = await device.workloads();
    const first = device.agentPid;
    const second = await runAgent("run", "--settings", device.settings);
    expect(second.status).toBe(1);
    expect(second.said).toContain("[ERR_AGENT_ROOT_IN_USE]");
    expect(second.said).not.toMatch(/^ {4}at /m);
    expect((await device.local.status()).pid).toBe(first);
    expect(await device.workloads()).toEqual(before);
    await device.deploy(await lab.deployment("2.0.0"));
    expect((await device.settled()).running?.version).toBe("2.0.0");
  });
});

describe("settings", () => {
  it("are checked as a whole, by --check-config too", async () => {
    const device = await lab.device("settings");
    const good = await readFile(device.settings, "utf8");
    const check = () => runAgent("--settings", device.settings, "--check-config");
    expect(await check()).toEqual({ status: 0, said: `${device.settings} is well-formed\n` });
    await writeFile(device.settings, `${good}polling: { wait: 1s }\nlog: { level: loud }\n`);
    const { status, said } = await check();
    expect(status).toBe(1);
    expect(said).toContain('agent.yaml:8:1  unknown key "polling"');
    expect(said).toContain("agent.yaml:9:");
    await refusesToRun(device, "ERR_SPEC_UNKNOWN_KEY");
    await rm(device.settings);
    await refusesToRun(device, "ERR_AGENT_SETTINGS");
  });
});
