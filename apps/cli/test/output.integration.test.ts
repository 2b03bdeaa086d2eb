import { capsuleListSchema, deviceListSchema, deviceRecordSchema } from "@roboticks/spec/api";
import { reportSchema } from "@roboticks/spec/report";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Terminal } from "./terminal.ts";

const digest = expect.stringMatching(/^sha256:[0-9a-f]{64}$/);
let terminal: Terminal;
beforeAll(async () => {
  terminal = await Terminal.open();
  await terminal.dev();
  expect(await terminal.deploy("1.0.0")).toMatchObject({ status: 0 });
});
afterAll(() => terminal[Symbol.asyncDispose]());

describe("-o json", () => {
  it("of pack and push: what the capsule is, and what travels", async () => {
    const path = terminal.path("own.tar.zst");
    const packed = await terminal.json(["pack", "app-1.0.0", "--output", "own.tar.zst"]);
    const size = expect.any(Number);
    expect(packed).toEqual({
      path,
      name: "app",
      version: "1.0.0",
      digest,
      archive: { digest, size },
    });
    await terminal.pack("1.0.1");
    const pushed = { name: "app", version: "1.0.1", digest, size };
    const push = () => terminal.json(["push", "app-1.0.1.tar.zst"]);
    expect(await push()).toEqual({ ...pushed, pushed: true });
    expect(await push()).toEqual({ ...pushed, pushed: false });
  });

  it("of deploy: the report that said it runs, or the assignment's number", async () => {
    const args = ["deploy", await terminal.deployment("1.0.0"), "--device", "device-1"];
    const { device, ...report } = (await terminal.json(args)) as { device: string };
    expect(device).toBe("device-1");
    expect(reportSchema.parse(report)).toMatchObject({ state: "committed", assignment: 2 });
    expect(await terminal.json([...args, "--detach"])).toEqual({ device, assignment: 3 });
  });

  it("of capsule list, device list and device show: the platform's records", async () => {
    const capsules = await terminal.json(["capsule", "list"]);
    expect(capsuleListSchema.parse({ capsules }).capsules[0]?.name).toBe("app");
    const devices = await terminal.json(["device", "list"]);
    expect(deviceListSchema.parse({ devices }).devices.map(({ name }) => name)).toEqual([
      "device-1",
    ]);
    const device = deviceRecordSchema.parse(await terminal.json(["device", "show", "device-1"]));
    expect(device.running).toEqual({ name: "robot", version: "1.0.0", digest });
  });

  it("of why: what runs, what is wanted, what was said last", async () => {
    expect(await terminal.json(["why", "device-1"])).toEqual({
      running: { name: "robot", version: "1.0.0", digest },
      desired: { name: "robot", version: "1.0.0", digest },
      latest: expect.objectContaining({ state: "committed" }),
    });
  });

  it("of local status: what the agent says", async () => {
    const status = await terminal.agent();
    expect(status).toMatchObject({ device: "device-1", platform: { connected: true } });
    expect(status.capsules).toMatchObject([
      { name: "hello", state: "running", verdict: "healthy", restarts: 0 },
    ]);
  });

  it("of key create: the public half, and where the other is", async () => {
    expect(await terminal.json(["key", "create", "some.key"])).toEqual({
      file: "some.key",
      keyId: expect.stringMatching(/^[0-9a-f]{64}$/),
      publicKey: {
        keytype: "ed25519",
        scheme: "ed25519",
        keyval: { public: expect.stringMatching(/^[0-9a-f]{64}$/) },
      },
    });
  });
});

describe("-o table", () => {
  it("has results on stdout and talk on stderr", async () => {
    await terminal.push("2.0.0", "unhealthy");
    const file = await terminal.deployment("2.0.0");
    const ran = await terminal.run(["deploy", file, "--device", "device-1"]);
    expect([ran.status, ran.stdout]).toEqual([1, ""]);
    expect(ran.stderr.split("\n").map((line) => line.trim().split(/ {2,}/)[0])).toEqual(
      expect.arrayContaining(["signed", "plan", "staged", "activated", "going back", "gone back"]),
    );
    expect(ran.stderr).toContain("ERROR map server: checksum mismatch");

    const why = await terminal.run(["why", "device-1"]);
    expect([why.status, why.stderr]).toEqual([0, ""]);
    expect(why.stdout).toContain("device-1 runs robot 1.0.0, wanted robot 2.0.0 (assignment");
    expect(why.stdout).toContain("check http: 503: map not loaded (3 of 3)");
    expect(why.stdout).toContain("[ERR_DEPLOYMENT_UNHEALTHY]");
    expect(why.stdout).toContain("--retry");

    const again = await terminal.run(["deploy", file, "--device", "device-1"]);
    expect(again.status).toBe(1);
    expect(again.stderr).toContain("[ERR_DEPLOYMENT_KNOWN_BAD]");
  });

  it("shows the agent's uses as they are now", async () => {
    const socket = ".roboticks/run/device-1/agent.sock";
    const { stdout } = await terminal.run(["local", "status", "--socket", socket]);
    expect(stdout).toMatch(/^device {4}device-1 \(agent 0\.1\.0, pid \d+\)$/m);
    expect(stdout).toMatch(/^platform {2}connected$/m);
    expect(stdout).toMatch(/^hello +app@1\.0\.0 +\d+ +running +healthy +0$/m);
  });
});
