import { type ChildProcess, spawn } from "node:child_process";
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type AgentStatus, agentStatusSchema } from "@roboticks/spec/local";

const roboticks = resolve(import.meta.dirname, "../../../tooling/bin/roboticks");

/** Looks again and again until `look` gives something; what it throws counts as nothing yet. */
export async function until<Found>(
  what: string,
  look: () => Promise<Found | undefined | false> | Found | undefined | false,
  timeoutMs = 30_000,
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
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** How a command ended, and what it said. */
export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process that belongs to a terminal's folder, found without asking anybody. */
export interface Found {
  readonly pid: number;
  readonly command: string;
}

/** What a terminal's `app` does. */
export type Nature = "healthy" | "unhealthy";

const server = `
import { createServer } from "node:http";
const [version, nature] = process.argv.slice(2);
createServer((request, response) => {
  if (request.url !== "/health") return response.end(process.env.GREETING + " from " + version);
  if (nature === "healthy") return response.end("ok");
  console.error("ERROR map server: checksum mismatch");
  response.writeHead(503).end("map not loaded");
}).listen(Number(process.env.PORT), "127.0.0.1");
`;

/** A person at a terminal in an empty folder, with a home and a /tmp of their own. */
export class Terminal implements AsyncDisposable {
  /** The folder that the commands run in. */
  readonly folder: string;
  readonly home: string;
  readonly tmp: string;
  readonly #scratch: string;

  private constructor(scratch: string, folder: string) {
    this.#scratch = scratch;
    this.folder = join(scratch, folder);
    this.home = join(scratch, "home");
    this.tmp = join(scratch, "tmp");
  }

  static async open(folder = "work"): Promise<Terminal> {
    const terminal = new Terminal(await mkdtemp(join(tmpdir(), "cli-")), folder);
    for (const path of [terminal.folder, terminal.home, terminal.tmp])
      await mkdir(path, { recursive: true });
    return terminal;
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  async write(name: string, text: string): Promise<string> {
    const path = this.path(name);
    await mkdir(resolve(path, ".."), { recursive: true });
    await writeFile(path, text);
    return name;
  }

  /** Starts a command as the foreground job of this terminal, so a process group of its own. */
  spawn(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
    return spawn(roboticks, args, {
      cwd: this.folder,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: { PATH: process.env.PATH, HOME: this.home, TMPDIR: this.tmp, ...env },
    });
  }

  /** Runs a command to its end. */
  async run(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ran> {
    const child = this.spawn(args, env);
    const said = listen(child);
    const status = await new Promise<number | null>((resolve) => child.once("close", resolve));
    return { status, ...said };
  }

  /** Runs a command that has to succeed; what it wrote, read as JSON. */
  async json(args: readonly string[]): Promise<unknown> {
    const ran = await this.run([...args, "-o", "json"]);
    if (ran.status !== 0) throw new Error(`${args.join(" ")}: ${ran.status}\n${ran.stderr}`);
    return JSON.parse(ran.stdout);
  }

  /** `roboticks dev`, once it says that it is up. */
  async dev(...args: string[]): Promise<Dev> {
    const child = this.spawn(["dev", ...args]);
    const said = listen(child);
    const ended = new Promise<Ran>((resolve) => {
      child.once("close", (status) => resolve({ status, ...said }));
    });
    await until("roboticks dev", () => {
      if (child.exitCode !== null) throw new Error(said.stderr);
      return said.stdout.includes("Ctrl-C ends");
    });
    const ports = [...said.stdout.matchAll(/port (\d+)/g)].map(([, port]) => Number(port));
    return new Dev(child, ended, ports);
  }

  /** Packs and pushes `app@version`; returns the archive's name. */
  async push(version: string, nature: Nature = "healthy"): Promise<string> {
    const archive = await this.pack(version, nature);
    const pushed = await this.run(["push", archive]);
    if (pushed.status !== 0) throw new Error(pushed.stderr);
    return archive;
  }

  async pack(version: string, nature: Nature = "healthy"): Promise<string> {
    await this.write(`app-${version}/server.mjs`, server);
    const main = { command: process.execPath, arguments: ["server.mjs", version, nature] };
    const manifest = {
      apiVersion: "roboticks/v1",
      kind: "Capsule",
      name: "app",
      version,
      processes: { main },
    };
    await this.write(`app-${version}/capsule.json`, JSON.stringify(manifest));
    const packed = await this.run(["pack", `app-${version}`]);
    if (packed.status !== 0) throw new Error(packed.stderr);
    return `app-${version}.tar.zst`;
  }

  /** Writes a deployment of `app`, quick to judge, whose port is the device's. */
  async deployment(version: string, { capsule = version, more = "" } = {}): Promise<string> {
    await this.write(
      "environment.yaml",
      `apiVersion: roboticks/v1
kind: Environment
variables: { GREETING: Hello, PORT: 0 }
`,
    );
    return this.write(
      `deployment-${version}.yaml`,
      `apiVersion: roboticks/v1
kind: Deployment
name: robot
version: ${version}
capsules:
  hello:
    capsule: app@${capsule}
    environment: environment.yaml
    health:
      - http: { port: "\${PORT}", path: /health, interval: 100ms, timeout: 1s, startPeriod: 2s }
      - process: { interval: 100ms, startPeriod: 0s }
activation: { minHealthyTime: 300ms, healthyDeadline: 10s, probation: 0s }
${more}`,
    );
  }

  /** Pushes `app@version` and deploys it. */
  async deploy(version: string, nature: Nature = "healthy", device = "device-1"): Promise<Ran> {
    await this.push(version, nature);
    return this.run(["deploy", await this.deployment(version), "--device", device]);
  }

  /** What the agent of a device says of itself. */
  async agent(device = "device-1"): Promise<AgentStatus> {
    const socket = join(".roboticks", "run", device, "agent.sock");
    return agentStatusSchema.parse(await this.json(["local", "status", "--socket", socket]));
  }

  /** Every process that has this folder in its command line, environment or as its own. */
  async processes(): Promise<Found[]> {
    const found: Found[] = [];
    for (const entry of await readdir("/proc")) {
      if (!/^\d+$/.test(entry)) continue;
      try {
        const command = await readFile(`/proc/${entry}/cmdline`, "utf8");
        const environment = await readFile(`/proc/${entry}/environ`, "utf8");
        const folder = await readlink(`/proc/${entry}/cwd`);
        if ([command, environment, folder].some((text) => text.includes(this.#scratch))) {
          found.push({ pid: Number(entry), command: command.replaceAll("\0", " ").trim() });
        }
      } catch {
        // it ended meanwhile, or is not ours to look into
      }
    }
    return found;
  }

  /** How many platforms, agents and workloads run for this folder. */
  async census(): Promise<{ platforms: number; agents: number; workloads: number }> {
    const processes = await this.processes();
    const count = (part: string): number =>
      processes.filter(({ command }) => /^\S*\/node /.test(command) && command.includes(part))
        .length;
    return {
      platforms: count("platform/src/main.ts"),
      agents: count("device-agent/src/main.ts"),
      workloads: count(" server.mjs "),
    };
  }

  /** Ends what is left, and removes the folders. */
  async [Symbol.asyncDispose](): Promise<void> {
    await until("the end of all processes", async () => {
      const left = await this.processes();
      for (const { pid } of left) kill(pid, "SIGKILL");
      return left.length === 0;
    });
    await rm(this.#scratch, { recursive: true, force: true });
  }
}

/** A `roboticks dev` that is up. */
export class Dev {
  readonly ports: readonly number[];
  readonly ended: Promise<Ran>;
  readonly #child: ChildProcess;

  constructor(child: ChildProcess, ended: Promise<Ran>, ports: readonly number[]) {
    this.#child = child;
    this.ended = ended;
    this.ports = ports;
  }

  get alive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Ctrl-C: the terminal signals the whole foreground group. */
  interrupt(): Promise<Ran> {
    kill(-(this.#child.pid ?? 0), "SIGINT");
    return this.ended;
  }

  /** `kill -9` of this one process. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    // Its output may be held open by what it left behind.
    await until("its end", () => !this.alive);
  }

  /** What the workload of a device answers; `undefined` when nobody does. */
  async greeting(device = 0): Promise<string | undefined> {
    try {
      const response = await fetch(`http://127.0.0.1:${this.ports[device]}/`, {
        headers: { connection: "close" },
      });
      return await response.text();
    } catch {
      return undefined; // nobody listens
    }
  }
}

function listen(child: ChildProcess): { stdout: string; stderr: string } {
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const) {
    child[name]?.setEncoding("utf8").on("data", (text: string) => {
      said[name] += text;
    });
  }
  return said;
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // it has ended meanwhile
  }
}
