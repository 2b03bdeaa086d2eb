import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Device, Lab, until } from "./harness.ts";

let lab: Lab;
beforeAll(async () => {
  lab = await Lab.open();
  await lab.push("1.0.0");
  await lab.push("2.0.0");
  await lab.push("3.0.0", "unhealthy");
  await lab.push("4.0.0", "exits");
});
afterAll(() => lab[Symbol.asyncDispose]());

/** A device that runs `version`. */
async function running(name: string, version: string): Promise<Device> {
  const device = await lab.device(name);
  await device.start();
  await device.deploy(await lab.deployment(version));
  expect((await device.settled()).latest?.state).toBe("committed");
  return device;
}

describe("a device", () => {
  it("enrolls with its DSN and trusts the root that this names", async () => {
    const device = await lab.device("enrolls");
    await device.start();
    await until("the enrolment", () => device.record());
    const status = await until("the anchor", async () => {
      const status = await device.local.status();
      return status.trust && status;
    });
    expect(status.trust).toEqual({ rootVersion: 1, pinned: "dsn" });
    const anchor = join(device.disk, "identity");
    expect((await readdir(anchor)).sort()).toEqual(["anchor.json", "device.key"]);
  });

  it("downloads, verifies, unpacks, starts and judges what it is to run", async () => {
    const device = await running("deploys", "1.0.0");
    expect(await device.greeting()).toBe("Hello from 1.0.0");
    const record = await device.record();
    expect(record.running?.version).toBe("1.0.0");
    expect(await device.workloads()).toHaveLength(1);
  });

  it("restarts for another environment, and downloads nothing", async () => {
    const device = await running("reconfigures", "1.0.0");
    const [before] = await device.workloads();
    const disk = await readdir(join(device.disk, "capsules", "app"));
    await device.deploy(await lab.deployment("1.0.1", { capsule: "1.0.0", greeting: "Moin" }));
    await device.settled();
    expect(await device.greeting()).toBe("Moin from 1.0.0");
    const [after] = await device.workloads();
    expect(after?.pid).not.toBe(before?.pid);
    expect(await readdir(join(device.disk, "capsules", "app"))).toEqual(disk);
    const reports = await lab.client.getReports(device.name);
    const plan = reports.find(({ state, assignment }) => state === "staging" && assignment === 2);
    expect(plan?.message).toContain("nothing to fetch");
  });

  it("updates, and keeps what ran before", async () => {
    const device = await running("updates", "1.0.0");
    await device.deploy(await lab.deployment("2.0.0"));
    await device.settled();
    expect(await device.greeting()).toBe("Hello from 2.0.0");
    const { deployment } = await device.local.status();
    expect(deployment?.previous.map(({ version }) => version)).toEqual(["1.0.0"]);
    expect(await readdir(join(device.disk, "capsules", "app"))).toHaveLength(2);
  });

  it("goes on while its agent is killed; the next one adopts the workload", async () => {
    const device = await running("adopts", "1.0.0");
    const [before] = await device.workloads();
    await device.killAgent();
    expect(await device.greeting()).toBe("Hello from 1.0.0");
    await device.start();
    expect(await device.workloads()).toEqual([before]);
    const { capsules } = await device.local.status();
    expect(capsules[0]).toMatchObject({ pid: before?.pid, state: "running", restarts: 0 });
    // Adopted means watched: when it dies now, it is started again.
    process.kill(before?.pid ?? 0, "SIGKILL");
    const after = await until("the restart", async () => {
      const [workload] = await device.workloads();
      return workload && workload.pid !== before?.pid && workload;
    });
    expect(after.version).toBe("1.0.0");
  });

  it.each([
    ["3.0.0", "ERR_DEPLOYMENT_UNHEALTHY", "http", "checksum mismatch floor-2.pgm"],
    ["4.0.0", "ERR_DEPLOYMENT_UNHEALTHY", undefined, "lidar not found"],
  ])(
    "goes back from a broken %s by itself, says why, and does not try it again",
    async (version, code, check, line) => {
      const device = await running(`reverts-${version.slice(0, 1)}`, "2.0.0");
      const broken = await lab.deployment(version);
      await device.deploy(broken);
      const record = await device.settled();
      expect(record.latest).toMatchObject({ state: "reverted", cause: { code } });
      if (check) expect(record.latest?.cause?.check).toBe(check);
      expect(record.latest?.cause?.lastLines.join("\n")).toContain(line);
      expect(record.running?.version).toBe("2.0.0");
      expect(await until("the answer", () => device.greeting())).toBe("Hello from 2.0.0");

      const [before] = await device.workloads();
      await device.deploy(broken);
      expect((await device.settled()).latest).toMatchObject({
        state: "refused",
        cause: { code: "ERR_DEPLOYMENT_KNOWN_BAD" },
      });
      expect(await device.workloads()).toEqual([before]);
      const starts = await readFile(join(device.disk, "data", "app", "starts"), "utf8");
      expect(starts.trim().split("\n").at(-1)).toMatch(/^2\.0\.0 /);
    },
  );

  it("boots without the network, another boot with an empty run folder", async ({ skip }) => {
    if (process.getuid?.() !== 0) skip("only root can give a process another boot id");
    const device = await running("boots", "2.0.0");
    const [before] = await device.workloads();
    await device.cutPower();
    expect(await device.greeting()).toBeUndefined();
    // The DSN leads nowhere now.
    await device.prepare(`http://${"k".repeat(32)}@127.0.0.1:9/default`);
    const bootId = join(lab.folder, "boot_id");
    await writeFile(bootId, "00000000-0000-4000-8000-000000000000\n");
    await device.start(undefined, bootId);
    expect(await until("the answer", () => device.greeting())).toBe("Hello from 2.0.0");
    expect((await device.local.status()).platform?.connected).toBe(false);
    const [after] = await device.workloads();
    expect(after?.pid).not.toBe(before?.pid);
    expect(await device.workloads()).toHaveLength(1);
  });

  it("tells no secret in what it logs", async () => {
    const device = await running("silent", "1.0.0");
    const key = await readFile(join(device.disk, "identity", "device.key"), "utf8");
    const secrets = [
      lab.dsn.key,
      ...key.split("\n").filter((line) => line.length > 20 && !line.includes("---")),
    ];
    expect(device.output).toContain("ready");
    for (const secret of secrets) expect(device.output).not.toContain(secret);
    expect(device.output).not.toMatch(/bearer/i);
  });
});
