import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Device, Lab, until } from "./harness.ts";

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
  await lab.push("1.0.0");
  await lab.push("2.0.0");
  await lab.push("3.0.0", "unhealthy");
});
afterAll(() => lab[Symbol.asyncDispose]());

/** A device that runs 1.0.0, and whose agent is off. */
async function runningFirst(name: string): Promise<Device> {
  const device = await lab.device(name);
  await device.start();
  await device.deploy(await lab.deployment("1.0.0"));
  await device.settled();
  await device.killAgent("SIGTERM");
  return device;
}

/** How often an agent writes from its start until it has ended an update to `version`. */
async function countWrites(version: string): Promise<number> {
  const device = await runningFirst(`counts-${version.slice(0, 1)}`);
  await device.start(["0", "never"]);
  await device.deploy(await lab.deployment(version));
  await device.settled();
  const counts = device.output.match(/write (\d+)/g) ?? [];
  await device.killAll();
  return counts.length;
}

describe.each([
  ["a good version", "2.0.0", "committed", "2.0.0"],
  ["a broken one", "3.0.0", "reverted", "1.0.0"],
])("an agent that is killed while it updates to %s", (_what, version, state, left) => {
  it("before or after any of its writes: the next one ends in one version", async () => {
    const writes = await countWrites(version);
    expect(writes).toBeGreaterThan(6);
    const cases = Array.from({ length: writes }, (_, index) => [
      [index + 1, "before"],
      [index + 1, "after"],
    ]).flat() as [number, string][];

    const run = async ([at, when]: [number, string]): Promise<void> => {
      const where = `killed ${when} write ${at} of ${writes}`;
      const device = await runningFirst(`v${version.slice(0, 1)}-${at}-${when}`);
      const child = device.spawnAgent([String(at), when]);
      const ended = device.agentEnded();
      await device.deploy(await lab.deployment(version));
      // A late write (of a delivered report) may not come: then the update has ended anyway.
      const how = await Promise.race([ended, device.settled().then(() => undefined)]);
      if (!how) await device.killAgent();
      else expect([where, how.signal]).toEqual([where, "SIGKILL"]);
      expect(child.pid).toBeDefined();

      // Never both; and the workload outlives its agent.
      expect((await device.workloads()).length, where).toBeLessThanOrEqual(1);
      await device.start();
      const record = await device.settled();
      expect([where, record.latest?.state, record.running?.version]).toEqual([where, state, left]);
      const greeting = await until(`${where}: the answer`, () => device.greeting());
      expect([where, greeting]).toEqual([where, `Hello from ${left}`]);
      const workloads = await device.workloads();
      expect([where, workloads.map((workload) => workload.version)]).toEqual([where, [left]]);
      await device.killAll();
    };
    // Two at a time: as many as there are cores to run them.
    const next = cases.values();
    await Promise.all(
      [1, 2].map(async () => {
        for (const one of next) await run(one);
      }),
    );
  }, 900_000);
});
