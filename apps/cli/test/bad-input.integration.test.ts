import { randomBytes } from "node:crypto";
import { once } from "node:events";
import {
  chmod,
  copyFile,
  mkdir,
  readdir,
  readFile,
  stat,
  truncate,
  writeFile,
} from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { packCapsule } from "@roboticks/pack";
import { deviceRecordSchema } from "@roboticks/spec/api";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Dev, type Ran, Terminal } from "./terminal.ts";

let terminal: Terminal;
let dev: Dev;
beforeAll(async () => {
  terminal = await Terminal.open();
  dev = await terminal.dev("--devices", "2");
  const deployed = await terminal.deploy("1.0.0");
  expect(deployed).toMatchObject({ status: 0 });
});
afterAll(() => terminal[Symbol.asyncDispose]());

/** The command has failed as it should, and what ran before still does, in the same process. */
async function failsAndHarmsNobody(
  args: readonly string[],
  { status, code, env = {} }: { status: number; code: string; env?: Record<string, string> },
): Promise<Ran> {
  const [before] = (await terminal.agent()).capsules;
  const ran = await terminal.run(args, env);
  expect(ran.stderr).toContain(`[${code}]`);
  expect(ran.status).toBe(status);
  expect(ran.stdout + ran.stderr).not.toMatch(/^ {4}at /m);
  expect(await dev.greeting()).toBe("Hello from 1.0.0");
  const [after] = (await terminal.agent()).capsules;
  expect([after?.pid, after?.restarts]).toEqual([before?.pid, before?.restarts]);
  return ran;
}

/** The files of the platform's archives. */
const blobs = () => terminal.path(".roboticks/platform/blobs/sha256");

/** Pushes `app@version`; where the platform keeps its archive. */
async function pushedBlob(version: string): Promise<string> {
  const before = await readdir(blobs());
  await terminal.push(version);
  const [blob] = (await readdir(blobs())).filter((name) => !before.includes(name));
  return join(blobs(), blob ?? "");
}

/** Another capsule than `app@version` of that name, in an archive of exactly `size` bytes. */
async function forged(version: string, size: number): Promise<string> {
  const folder = terminal.path(`forged-${version}`);
  const output = `${folder}.tar.zst`;
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "server.mjs"), "process.exit(0)\n");
  const main = { command: process.execPath, arguments: ["server.mjs"] };
  const manifest = { apiVersion: "roboticks/v1", kind: "Capsule", name: "app", version };
  for (let length = 1, tries = 0; tries < 2_000; tries++) {
    // Random digits are not compressed to nothing, so every one or two of them add a byte; near
    // the size that is wanted, others of the same length come out a byte longer or shorter.
    const description = randomBytes(length).toString("hex").slice(0, length);
    const text = JSON.stringify({ ...manifest, description, processes: { main } });
    await writeFile(join(folder, "capsule.json"), text);
    const { archive } = await packCapsule({ folder, output });
    if (archive.size === size) return output;
    length = Math.max(1, length + Math.sign(size - archive.size));
  }
  throw new Error(`no archive has ${size} bytes`);
}

/** The device refuses to install what it was sent, and keeps nothing of it. */
async function isRefusedByTheDevice(version: string, code: string): Promise<void> {
  const kept = terminal.path(".roboticks/devices/device-1/state/capsules/app");
  const before = await readdir(kept);
  const file = await terminal.deployment(version);
  const { stderr } = await failsAndHarmsNobody(["deploy", file, "--device", "device-1"], {
    status: 1,
    code: "ERR_CLI_DEPLOYMENT_FAILED",
  });
  expect(stderr).toContain(`[${code}]`);
  const { latest, running } = deviceRecordSchema.parse(
    await terminal.json(["device", "show", "device-1"]),
  );
  expect([latest?.state, latest?.cause?.code]).toEqual(["reverted", code]);
  expect(running?.version).toBe("1.0.0");
  expect(await readdir(kept)).toEqual(before);
}

describe("an archive that is not what was signed", () => {
  it("is refused when it is that of another capsule", async () => {
    const blob = await pushedBlob("1.1.0");
    await copyFile(await forged("1.1.0", (await stat(blob)).size), blob);
    await isRefusedByTheDevice("1.1.0", "ERR_CAPSULE_DIGEST_MISMATCH");
  });

  it("is refused when one bit of it is another", async () => {
    const blob = await pushedBlob("1.2.0");
    const bytes = await readFile(blob);
    const at = Math.floor(bytes.length / 2);
    bytes[at] = (bytes[at] ?? 0) ^ 1;
    await writeFile(blob, bytes);
    await isRefusedByTheDevice("1.2.0", "ERR_CAPSULE_ARCHIVE");
  });

  it("is refused when it was cut before it was pushed", async () => {
    const archive = await terminal.pack("1.3.0");
    await truncate(terminal.path(archive), (await stat(terminal.path(archive))).size - 200);
    expect((await terminal.run(["push", archive])).status).toBe(0);
    await isRefusedByTheDevice("1.3.0", "ERR_CAPSULE_ARCHIVE");
  });

  it("is refused by push when not even its manifest is whole", async () => {
    const archive = await terminal.pack("1.4.0");
    await truncate(terminal.path(archive), 100);
    await failsAndHarmsNobody(["push", archive], { status: 1, code: "ERR_ARCHIVE_TRUNCATED" });
  });
});

describe("a port that is taken", () => {
  it("ends in nothing of the new one, and says why", async () => {
    const taken = createServer().listen(dev.ports[1], "127.0.0.1");
    await once(taken, "listening");
    try {
      const file = await terminal.deployment("1.0.0");
      const { stderr } = await failsAndHarmsNobody(["deploy", file, "--device", "device-2"], {
        status: 1,
        code: "ERR_CLI_DEPLOYMENT_FAILED",
      });
      const [, lines] = stderr.split("last lines");
      expect(lines).toContain("EADDRINUSE");
      expect(stderr).toContain("[ERR_DEPLOYMENT_UNHEALTHY]");
      expect((await terminal.agent("device-2")).capsules).toEqual([]);
      const { stdout } = await terminal.run(["why", "device-2"]);
      expect(stdout).toContain("EADDRINUSE");
    } finally {
      taken.close();
    }
  });
});

describe("a deployment", () => {
  const begin = "apiVersion: roboticks/v1\nkind: Deployment\nname: robot\nversion: 2.0.0\n";
  const capsules = "capsules:\n  hello:\n    capsule: app@1.0.0\n";
  const deploy = ["deploy", "bad.yaml", "--device", "device-1"];

  it.each([
    ["compositions", `${begin}compositions: {}\n${capsules}`, "bad.yaml:5:1  "],
    ["bridge", `${begin}${capsules}bridge:\n  scan: {}\n`, "bad.yaml:8:1  "],
    ["activation.when", `${begin}${capsules}activation:\n  when: []\n`, "bad.yaml:9:3  "],
    ["activation.inhibit", `${begin}${capsules}activation: { inhibit: 1 }\n`, "bad.yaml:8:15  "],
  ])("with %s is refused, as there is no such thing yet", async (key, text, place) => {
    await terminal.write("bad.yaml", text);
    const ran = await failsAndHarmsNobody(deploy, { status: 1, code: "ERR_SPEC_UNSUPPORTED" });
    expect(ran.stderr).toContain(`${place}"${key}" is not supported yet; remove it`);
  });

  it("of a version that was not pushed is not found", async () => {
    await terminal.write("bad.yaml", begin + capsules.replace("1.0.0", "7.0.0"));
    const ran = await failsAndHarmsNobody(deploy, { status: 5, code: "ERR_CLI_UNKNOWN_CAPSULE" });
    expect(ran.stderr).toContain("app@7.0.0; pack and push it first");
  });

  it("for a device that is not there is not found", async () => {
    const file = await terminal.deployment("1.0.0");
    const args = ["deploy", file, "--device", "device-9"];
    await failsAndHarmsNobody(args, { status: 5, code: "ERR_PLATFORM_NOT_FOUND" });
  });

  it("that is signed with a key that others can read is not signed", async () => {
    const key = terminal.path("exposed.key");
    await copyFile(terminal.path(".roboticks/keys/operator.key"), key);
    await chmod(key, 0o640);
    const args = ["deploy", await terminal.deployment("1.0.0"), "--device", "device-1"];
    const exposed = { status: 1, code: "ERR_TRUST_KEY_EXPOSED" };
    await failsAndHarmsNobody([...args, "--key", key], exposed);
  });

  it("that is signed with a key that nobody trusts is not taken", async () => {
    expect((await terminal.run(["key", "create", "own.key"])).status).toBe(0);
    const args = ["deploy", await terminal.deployment("1.0.0"), "--device", "device-1"];
    const untrusted = { status: 1, code: "ERR_PLATFORM_SIGNATURE" };
    await failsAndHarmsNobody([...args, "--key", "own.key"], untrusted);
    await failsAndHarmsNobody(["key", "create", "own.key"], {
      status: 1,
      code: "ERR_TRUST_KEY_EXISTS",
    });
  });

  it("that takes longer than --timeout goes on without its command", async () => {
    const args = ["deploy", await terminal.deployment("1.0.0"), "--device", "device-1"];
    const late = { status: 124, code: "ERR_CLI_TIMEOUT" };
    await failsAndHarmsNobody([...args, "--timeout", "0s"], late);
    await failsAndHarmsNobody([...args, "--timeout", "soon"], {
      status: 2,
      code: "ERR_CLI_USAGE",
    });
  });
});

describe("a platform", () => {
  it("that is not there is said to be unreachable", async () => {
    const args = ["device", "list", "--server", "http://127.0.0.1:9"];
    const ran = await failsAndHarmsNobody(args, { status: 1, code: "ERR_CLIENT_UNREACHABLE" });
    expect(ran.stderr).toContain("http://127.0.0.1:9");
  });

  it("that is something else is said to be that", async () => {
    const args = ["device", "list", "--server", `http://127.0.0.1:${dev.ports[0]}`];
    await failsAndHarmsNobody(args, { status: 1, code: "ERR_CLIENT_MALFORMED" });
  });

  it("that does not know the token allows nothing", async () => {
    const env = { ROBOTICKS_TOKEN: "x".repeat(43) };
    const denied = { status: 4, code: "ERR_PLATFORM_UNAUTHENTICATED", env };
    await failsAndHarmsNobody(["device", "list"], denied);
    await failsAndHarmsNobody(["push", await terminal.pack("1.5.0")], denied);
  });

  it("that nobody named is a mistake of the command line", async () => {
    await using elsewhere = await Terminal.open();
    for (const flags of [[], ["--server", "http://127.0.0.1:9"]]) {
      const ran = await elsewhere.run(["device", "list", ...flags]);
      expect(ran.status).toBe(2);
      expect(ran.stderr).toContain("[ERR_CLI_NO_CONTEXT]");
    }
  });

  it("an agent's socket that is not there is said to be unreachable", async () => {
    const args = ["local", "status", "--socket", "nowhere.sock"];
    await failsAndHarmsNobody(args, { status: 1, code: "ERR_CLIENT_UNREACHABLE" });
  });
});
