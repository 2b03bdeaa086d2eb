import { type ChildProcess, spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { openAsBlob } from "node:fs";
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { PlatformClient } from "@roboticks/client";
import { AgentClient } from "@roboticks/client/local";
import { packCapsule } from "@roboticks/pack";
import type { DeviceRecord } from "@roboticks/spec/api";
import { type Deployment, deploymentSchema, type Envelope } from "@roboticks/spec/deployment";
import { formatDsn } from "@roboticks/spec/dsn";
import {
  createRoot,
  documentDigest,
  formatExpiry,
  generateKeyPair,
  type KeyPair,
  signEnvelope,
} from "@roboticks/trust";

const repo = resolve(import.meta.dirname, "../../..");
const bin = join(repo, "tooling", "bin");
const project = "default";

/** Looks again and again until `look` gives something; what it throws counts as nothing yet. */
export async function until<Found>(
  what: string,
  look: () => Promise<Found | undefined | false> | Found | undefined | false,
  timeoutMs = 60_000,
): Promise<Found> {
  const end = performance.now() + timeoutMs;
  for (let last: unknown; ; ) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      last = error;
    }
    if (performance.now() > end) throw new Error(`${what} did not come`, { cause: last });
    await new Promise((resolve) => setImmediate(resolve));
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** A program that answers `GREETING from VERSION`, and `/health` by its nature. */
const server = `
import { createServer } from "node:http";
import { appendFileSync } from "node:fs";
const [version, nature] = process.argv.slice(2);
appendFileSync(process.env.ROBOTICKS_DATA_DIR + "/starts", version + " " + process.pid + "\\n");
if (nature === "exits") { console.error("ERROR lidar not found"); process.exit(3); }
createServer((request, response) => {
  if (request.url !== "/health") return response.end(process.env.GREETING + " from " + version);
  if (nature === "healthy") return response.end("ok");
  console.error("ERROR map server: checksum mismatch floor-2.pgm");
  response.writeHead(503).end("map not loaded");
}).listen(Number(process.env.PORT), "127.0.0.1");
`;

export type Nature = "healthy" | "unhealthy" | "exits";

/** A platform of its own with one capsule name, and devices, all real processes. */
export class Lab implements AsyncDisposable {
  readonly folder: string;
  readonly operator: KeyPair;
  readonly #root: ReturnType<typeof createRoot>;
  readonly #children = new Set<ChildProcess>();
  readonly devices: Device[] = [];
  #platform: ChildProcess | undefined;
  #client: PlatformClient | undefined;
  #dsnKey = "";

  private constructor(folder: string) {
    this.folder = folder;
    this.operator = generateKeyPair();
    this.#root = createRoot({
      rootKeys: [generateKeyPair()],
      assignmentKeys: [this.operator.publicKey],
      expires: formatExpiry(Date.now() + 86_400_000),
    });
  }

  static async open(): Promise<Lab> {
    const lab = new Lab(await mkdtemp(join(tmpdir(), "lab-")));
    await writeFile(join(lab.folder, "root.json"), JSON.stringify(lab.#root));
    await lab.startPlatform();
    return lab;
  }

  get client(): PlatformClient {
    if (!this.#client) throw new Error("the platform was not started");
    return this.#client;
  }

  get rootDigest() {
    return documentDigest(JSON.parse(JSON.stringify(this.#root)));
  }

  get dsn() {
    return {
      endpoint: this.client.endpoint,
      project,
      key: this.#dsnKey,
      rootDigest: this.rootDigest,
    };
  }

  async startPlatform(): Promise<void> {
    const data = join(this.folder, "platform");
    const root = join(this.folder, "root.json");
    this.#platform = this.spawn(join(bin, "roboticks-platform"), ["--data", data, "--root", root]);
    const { pid } = this.#platform;
    const url = await until("the platform", async () => {
      const announced = JSON.parse(await readFile(join(data, "platform.json"), "utf8"));
      return announced.ready && announced.pid === pid && String(announced.url);
    });
    const token = (await readFile(join(data, "secrets", "operator-token"), "utf8")).trim();
    this.#dsnKey = (await readFile(join(data, "secrets", "dsn-key"), "utf8")).trim();
    this.#client = new PlatformClient({ endpoint: url, project, token });
  }

  async stopPlatform(): Promise<void> {
    const platform = this.#platform;
    if (!platform) return;
    platform.kill("SIGTERM");
    await ended(platform);
  }

  spawn(command: string, args: readonly string[]): ChildProcess {
    const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
    this.#children.add(child);
    child.once("exit", () => this.#children.delete(child));
    return child;
  }

  /** Packs and pushes `app` in `version`. */
  async push(version: string, nature: Nature = "healthy"): Promise<{ archive: string }> {
    const folder = join(this.folder, `app-${version}`);
    await mkdir(folder);
    await writeFile(join(folder, "server.mjs"), server);
    await writeFile(
      join(folder, "capsule.json"),
      JSON.stringify({
        apiVersion: "roboticks/v1",
        kind: "Capsule",
        name: "app",
        version,
        processes: {
          main: { command: process.execPath, arguments: ["server.mjs", version, nature] },
        },
      }),
    );
    const packed = await packCapsule({ folder, output: `${folder}.tar.zst` });
    const manifest = await this.#manifestOf(packed.manifest);
    await this.client.putManifest(packed.digest, manifest);
    const bytes = await readFile(packed.path);
    await this.client.putArchive(packed.digest, {
      body: await openAsBlob(packed.path),
      size: bytes.length,
      sha256: createHash("sha256").update(bytes).digest("hex"),
    });
    return { archive: packed.path };
  }

  async #manifestOf(manifest: object): Promise<Uint8Array<ArrayBuffer>> {
    const { readManifest } = await import("@roboticks/archive");
    const { createReadStream } = await import("node:fs");
    const { version } = manifest as { version: string };
    const path = join(this.folder, `app-${version}.tar.zst`);
    return Uint8Array.from(await readManifest(createReadStream(path)));
  }

  /** A deployment of `app`, quick to judge. */
  async deployment(
    version: string,
    { capsule = version, greeting = "Hello", probation = "0s" } = {},
  ): Promise<Deployment> {
    const [found] = await this.client.findCapsules({ name: "app", version: capsule });
    if (!found?.size) throw new Error(`app@${capsule} was not pushed`);
    const { digest, size } = found;
    const timing = { interval: "100ms", timeout: "1s", startPeriod: "2s" };
    return deploymentSchema.parse({
      apiVersion: "roboticks/v1",
      kind: "Deployment",
      name: "robot",
      version,
      activation: { minHealthyTime: "300ms", healthyDeadline: "60s", probation },
      capsules: {
        app: {
          capsule: { name: "app", version: capsule, digest, size },
          environment: { GREETING: greeting, PORT: "0" },
          health: [
            { http: { port: "${PORT}", path: "/health", ...timing } },
            { process: { interval: "100ms", startPeriod: "0s" } },
          ],
        },
      },
    });
  }

  order(
    device: string,
    version: number,
    deployment: Deployment,
    { key = this.operator, retry = false, expiresInMs = 3_600_000, project: other = project } = {},
  ): Envelope {
    const signed: Envelope["signed"] = JSON.parse(
      JSON.stringify({
        _type: "assignment",
        project: other,
        devices: [device],
        version,
        expires: formatExpiry(Date.now() + expiresInMs),
        retry,
        deployment,
      }),
    );
    const { signatures } = signEnvelope(signed, [key]);
    return { signed, signatures: [...signatures] };
  }

  /** A device that is not switched on yet. */
  async device(name: string, dsn: string = formatDsn(this.dsn)): Promise<Device> {
    const device = new Device(this, name, await freePort());
    await device.prepare(dsn);
    this.devices.push(device);
    return device;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const device of this.devices) await device.killAll();
    for (const child of this.#children) child.kill("SIGKILL");
    await Promise.all([...this.#children].map(ended));
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** A device: a folder that stands for its disk, and what runs on it. */
export class Device {
  readonly name: string;
  readonly port: number;
  readonly disk: string;
  readonly runFolder: string;
  readonly settings: string;
  readonly local: AgentClient;
  readonly #lab: Lab;
  #agent: ChildProcess | undefined;
  #output = "";
  #assignment = 0;

  constructor(lab: Lab, name: string, port: number) {
    this.#lab = lab;
    this.name = name;
    this.port = port;
    this.disk = join(lab.folder, name, "state");
    this.runFolder = join(lab.folder, name, "run");
    this.settings = join(lab.folder, name, "agent.yaml");
    this.local = new AgentClient({ socketPath: join(this.runFolder, "agent.sock") });
  }

  async prepare(dsn: string): Promise<void> {
    await mkdir(join(this.#lab.folder, this.name), { recursive: true });
    await writeFile(join(this.#lab.folder, this.name, "dsn"), dsn, { mode: 0o600 });
    await writeFile(
      this.settings,
      `apiVersion: roboticks/v1
kind: AgentSettings
name: ${this.name}
dsnFile: dsn
root: state
run: run
overrides: { app: { PORT: "${this.port}" } }
`,
    );
  }

  /** What the agent has printed since it was started. */
  get output(): string {
    return this.#output;
  }

  get agentPid(): number | undefined {
    return this.#agent?.pid;
  }

  /** Starts the agent, as it is or as a fixture, without waiting; `bootId` is a file. */
  spawnAgent(fixture?: readonly string[], bootId?: string): ChildProcess {
    const node = join(bin, "node");
    const source = "--conditions=@roboticks/source";
    this.#output = "";
    const child = fixture
      ? this.#lab.spawn(node, [
          source,
          join(import.meta.dirname, "fixtures", "crashing-agent.ts"),
          this.settings,
          ...fixture,
        ])
      : this.#lab.spawn(
          ...inBoot(bootId, join(bin, "roboticks-agent"), ["run", "--settings", this.settings]),
        );
    const hear = (chunk: Buffer): void => {
      this.#output += chunk.toString();
    };
    child.stdout?.on("data", hear);
    child.stderr?.on("data", hear);
    this.#agent = child;
    return child;
  }

  /** Starts the agent; resolves once it is ready and enrolled. */
  async start(fixture?: readonly string[], bootId?: string): Promise<void> {
    const child = this.spawnAgent(fixture, bootId);
    await until(`${this.name}'s agent`, async () => {
      if (child.exitCode !== null) throw new Error(this.#output);
      const status = await this.local.status();
      return status.ready && status.pid === child.pid;
    });
  }

  async killAgent(signal: NodeJS.Signals = "SIGKILL"): Promise<void> {
    const agent = this.#agent;
    if (!agent || agent.exitCode !== null || agent.signalCode !== null) return;
    agent.kill(signal);
    await ended(agent);
  }

  /** Resolves once the agent has ended by itself; how. */
  async agentEnded(): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
    if (!this.#agent) throw new Error("no agent was started");
    return ended(this.#agent);
  }

  /** Gives it the next order. */
  async deploy(
    deployment: Deployment,
    options: { readonly retry?: boolean } = {},
  ): Promise<number> {
    await until(`the enrolment of ${this.name}`, () => this.record());
    const version = ++this.#assignment;
    await this.#lab.client.putAssignment(
      this.name,
      this.#lab.order(this.name, version, deployment, options),
    );
    return version;
  }

  record(): Promise<DeviceRecord> {
    return this.#lab.client.getDevice(this.name);
  }

  /** The platform's record once the newest order has come to an end. */
  async settled(): Promise<DeviceRecord> {
    const ends = ["committed", "reverted", "refused", "superseded"];
    return until(`an end on ${this.name}`, async () => {
      const record = await this.record();
      const { latest } = record;
      return latest?.assignment === this.#assignment && ends.includes(latest.state) && record;
    }).catch((cause: Error) => {
      const log = this.#output.split("\n").slice(-30).join("\n");
      throw new Error(`${cause.message}; the agent said last:\n${log}`, { cause });
    });
  }

  async greeting(): Promise<string | undefined> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.port}/`, {
        headers: { connection: "close" },
      });
      return await response.text();
    } catch {
      return undefined; // nobody answers
    }
  }

  /** Every workload process of this device that is alive now, found without asking the agent. */
  async workloads(): Promise<{ pid: number; version: string }[]> {
    const found: { pid: number; version: string }[] = [];
    for (const entry of await readdir("/proc")) {
      if (!/^\d+$/.test(entry)) continue;
      try {
        const environment = await readFile(`/proc/${entry}/environ`, "utf8");
        const command = (await readFile(`/proc/${entry}/cmdline`, "utf8")).split("\0");
        const mine = environment.includes(`ROBOTICKS_DATA_DIR=${this.disk}/`);
        if (mine && command[1] === "server.mjs") {
          found.push({ pid: Number(entry), version: command[2] ?? "" });
        }
      } catch {
        // it ended meanwhile, or is not ours to look into
      }
    }
    return found;
  }

  /** The power goes: agent and workloads at once, and the run folder is empty. */
  async cutPower(): Promise<void> {
    await this.killAll();
    await rm(this.runFolder, { recursive: true, force: true });
  }

  async killAll(): Promise<void> {
    await this.killAgent();
    await until("the end of the workloads", async () => {
      const alive = await this.workloads();
      for (const { pid } of alive) process.kill(pid, "SIGKILL");
      return alive.length === 0;
    });
  }
}

/** A command as it is run in a boot of that id: in a mount namespace, where the kernel says so. */
function inBoot(file: string | undefined, command: string, args: string[]): [string, string[]] {
  if (!file) return [command, args];
  const script = 'mount --bind "$1" /proc/sys/kernel/random/boot_id && shift && exec "$@"';
  return ["unshare", ["--mount", "sh", "-c", script, "sh", file, command, ...args]];
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, "127.0.0.1", resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}

function ended(
  child: ChildProcess,
): Promise<{ code: number | null; signal: NodeJS.Signals | null }> {
  if (child.exitCode !== null || child.signalCode !== null) {
    return Promise.resolve({ code: child.exitCode, signal: child.signalCode });
  }
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve({ code, signal }));
  });
}
