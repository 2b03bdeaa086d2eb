import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PlatformClient } from "@roboticks/client";
import { generateKeyPair } from "@roboticks/trust";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openSqliteState } from "../src/index.ts";
import {
  assignment,
  deviceOf,
  enrolment,
  makeCapsule,
  push,
  report,
  root,
  signed,
} from "./fleet.ts";

const main = new URL("../src/main.ts", import.meta.url).pathname;

let folder: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "platform-"));
  await writeFile(join(folder, "root.json"), JSON.stringify(root));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await rm(folder, { recursive: true });
});

interface Started {
  readonly child: ChildProcess;
  readonly url: string;
  /** All that it printed so far, and how it ended. */
  readonly output: () => string;
}

function run(...more: string[]): Omit<Started, "url"> {
  const child = spawn(
    process.execPath,
    [
      "--conditions=@roboticks/source",
      main,
      ...["--data", join(folder, "data"), "--root", join(folder, "root.json")],
      ...["--project", "warehouse", ...more],
    ],
    { stdio: ["ignore", "pipe", "pipe"] },
  );
  children.push(child);
  let text = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding("utf8").on("data", (part: string) => {
      text += part;
    });
  }
  return { child, output: () => text };
}

/** Starts it and waits until it says that it is ready. */
async function start(...more: string[]): Promise<Started> {
  const started = run(...more);
  const { child, output } = started;
  let announced: { url?: string; ready?: boolean; pid?: number } = {};
  await expect
    .poll(
      async () => {
        if (child.exitCode !== null) throw new Error(`it ended: ${output()}`);
        const text = await readFile(join(folder, "data/platform.json"), "utf8").catch(() => "{}");
        announced = JSON.parse(text);
        return announced.ready && announced.pid === child.pid;
      },
      { timeout: 20_000 },
    )
    .toBe(true);
  return { ...started, url: String(announced.url) };
}

function secret(name: string): Promise<string> {
  return readFile(join(folder, "data/secrets", name), "utf8").then((text) => text.trim());
}

async function operatorAt(endpoint: string): Promise<PlatformClient> {
  return new PlatformClient({
    endpoint,
    project: "warehouse",
    token: await secret("operator-token"),
  });
}

test("kill -9 between requests loses nothing, and the address stays", async () => {
  const capsule = makeCapsule("nav", "1.0.0");
  const key = generateKeyPair();
  let { child, url } = await start();
  const first = url;
  const crash = async () => {
    child.kill("SIGKILL");
    await once(child, "exit");
    ({ child, url } = await start());
    expect(url).toBe(first);
  };
  await push(await operatorAt(url), capsule);
  await crash();
  const bare = new PlatformClient({ endpoint: url, project: "warehouse" });
  await bare.enroll(enrolment("robot-1", key), { key: await secret("dsn-key") });
  await crash();
  const device = deviceOf(url, "robot-1", key);
  expect(await device.getAssignment("robot-1")).toEqual({ kind: "none" });
  await (await operatorAt(url)).putAssignment("robot-1", signed(assignment(capsule, ["robot-1"])));
  await crash();
  // The same client: its token was kept, too.
  const answer = await device.getAssignment("robot-1");
  expect(answer.kind).toBe("assignment");
  expect(await device.sendReports("robot-1", [report(1), report(2)])).toBe(2);
  await crash();
  expect(await device.sendReports("robot-1", [report(2), report(3)])).toBe(3);
  const operator = await operatorAt(url);
  expect((await operator.getReports("robot-1")).map(({ seq }) => seq)).toEqual([1, 2, 3]);
  const archive = await fetch(operator.archiveUrl(capsule.digest), {
    headers: { authorization: `Bearer ${await secret("operator-token")}` },
  });
  expect(Buffer.from(await archive.arrayBuffer()).equals(capsule.archive)).toBe(true);
});

test.for(["SIGTERM", "SIGINT"] as const)(
  "%s ends it within a second, held requests too",
  async (signal) => {
    const { child, url } = await start();
    const key = generateKeyPair();
    const bare = new PlatformClient({ endpoint: url, project: "warehouse" });
    await bare.enroll(enrolment("robot-1", key), { key: await secret("dsn-key") });
    const device = deviceOf(url, "robot-1", key);
    await device.getAssignment("robot-1");
    const held = Promise.allSettled([device.getAssignment("robot-1", { waitMs: 60_000 })]);
    const begun = performance.now();
    child.kill(signal);
    const [code] = await once(child, "exit");
    expect(performance.now() - begun).toBeLessThan(1_000);
    expect(code).toBe(0);
    await held;
    const text = await readFile(join(folder, "data/platform.json"), "utf8");
    expect(JSON.parse(text)).toMatchObject({ ready: false, url });
  },
);

test("its secrets are for their owner, and nowhere else", async () => {
  const { child, url, output } = await start();
  await (await operatorAt(url)).listDevices();
  await new PlatformClient({ endpoint: url, project: "warehouse", token: "guess" })
    .listDevices()
    .catch(() => {}); // refused; it is only to be logged
  child.kill("SIGTERM");
  await once(child, "close");
  const secrets = [await secret("operator-token"), await secret("dsn-key")];
  expect((await stat(join(folder, "data/secrets"))).mode & 0o777).toBe(0o700);
  for (const name of ["operator-token", "dsn-key"]) {
    expect((await stat(join(folder, "data/secrets", name))).mode & 0o777).toBe(0o600);
  }
  expect((await stat(join(folder, "data/platform.json"))).mode & 0o777).toBe(0o644);
  const written = [output(), await readFile(join(folder, "data/platform.json"), "utf8")];
  for (const name of await readdir(join(folder, "data"))) {
    if (name.startsWith("platform.db")) {
      written.push(await readFile(join(folder, "data", name), "latin1"));
    }
  }
  for (const text of written) for (const value of secrets) expect(text).not.toContain(value);
  for (const line of output().trim().split("\n")) expect(JSON.parse(line)).toHaveProperty("level");
});

test("a second one on the same folder is refused, and the first goes on", async () => {
  const { url } = await start();
  const { child, output } = run();
  const [code] = await once(child, "close");
  expect(code).toBe(1);
  expect(output()).toMatch(/in use by another platform.*\[ERR_PLATFORM_LOCKED\]/);
  await (await operatorAt(url)).listDevices();
});

test("a port that was given up to somebody else is replaced", async () => {
  const one = await start();
  one.child.kill("SIGTERM");
  await once(one.child, "exit");
  const squatter = createServer();
  squatter.listen(Number(new URL(one.url).port), "127.0.0.1");
  await once(squatter, "listening");
  try {
    const { url } = await start();
    expect(url).not.toBe(one.url);
    await (await operatorAt(url)).ping();
    const { child, output } = run(
      "--data",
      join(folder, "other"),
      "--listen",
      new URL(one.url).host,
    );
    const [code] = await once(child, "close");
    expect(code).toBe(1);
    expect(output()).toContain("[ERR_PLATFORM_LISTEN]");
  } finally {
    squatter.close();
  }
});

test.for([
  [["--listen", "nowhere"], "ERR_PLATFORM_SETTINGS"],
  [["--root", "/does/not/exist"], "ERR_PLATFORM_SETTINGS"],
  [["--project", "No Name"], "ERR_PLATFORM_SETTINGS"],
  [["--root", main], "ERR_PLATFORM_SETTINGS"],
] as const)("%s is refused", async ([more, expected]) => {
  const { child, output } = run(...more);
  const [code] = await once(child, "close");
  expect(code).toBe(1);
  expect(output()).toContain(expected);
});

test("the database of the executable is one that the library opens", async () => {
  const { child, url } = await start();
  await push(await operatorAt(url), makeCapsule("nav", "1.0.0"));
  child.kill("SIGTERM");
  await once(child, "exit");
  await using state = await openSqliteState({ path: join(folder, "data/platform.db") });
  expect(await state.listCapsules({})).toMatchObject([{ name: "nav" }]);
});
