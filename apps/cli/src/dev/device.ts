import { existsSync } from "node:fs";
import { mkdir, rm } from "node:fs/promises";
import { createServer } from "node:net";
import { join, relative } from "node:path";
import { AgentClient } from "@roboticks/client/local";
import { writeFileAtomic } from "@roboticks/core/fs";
import { agentSettingsSchema } from "@roboticks/spec/agent";
import { type Dsn, formatDsn } from "@roboticks/spec/dsn";
import type { AgentStatus } from "@roboticks/spec/local";
import { ProcessSupervisor } from "@roboticks/supervisor";
import { executable } from "../executables.ts";
import { readDocument } from "../files.ts";
import type { Home } from "./home.ts";
import { childEnvironment, throwIfEnded } from "./process.ts";
import { until } from "./until.ts";

/** Options of {@link DevDevice}. */
export interface DevDeviceOptions {
  readonly name: string;
  readonly home: Home;
  readonly supervisor: ProcessSupervisor;
}

/** A virtual device: a real agent with a disk and a run folder of its own. */
export class DevDevice {
  readonly name: string;
  readonly agent: AgentClient;
  /** What stands for its disk; survives everything but `--fresh`. */
  readonly disk: string;
  /** What stands for its tmpfs: gone when it is switched off. */
  readonly runFolder: string;
  readonly #settingsFile: string;
  readonly #dsnFile: string;
  readonly #home: Home;
  readonly #supervisor: ProcessSupervisor;

  constructor({ name, home, supervisor }: DevDeviceOptions) {
    const folder = join(home.devices, name);
    this.name = name;
    this.disk = join(folder, "state");
    this.runFolder = join(home.run, name);
    this.agent = new AgentClient({ socketPath: join(this.runFolder, "agent.sock") });
    this.#settingsFile = join(folder, "agent.yaml");
    this.#dsnFile = join(folder, "dsn");
    this.#home = home;
    this.#supervisor = supervisor;
  }

  /** The port that the sample workload has on this device. */
  async port(): Promise<number> {
    const { overrides } = await readDocument(this.#settingsFile, agentSettingsSchema);
    return Number(overrides.hello?.PORT);
  }

  /** Gives it settings, where it has none, and the DSN. */
  async prepare(dsn: Dsn): Promise<void> {
    await mkdir(join(this.#home.devices, this.name), { recursive: true, mode: 0o700 });
    await writeFileAtomic(this.#dsnFile, `${formatDsn(dsn)}\n`, { mode: 0o600 });
    if (existsSync(this.#settingsFile)) return;
    const folder = join(this.#home.devices, this.name);
    await writeFileAtomic(
      this.#settingsFile,
      `# The settings of a virtual device. Yours to change; \`roboticks dev\` leaves them alone.
apiVersion: roboticks/v1
kind: AgentSettings
name: ${this.name}
dsnFile: dsn
root: ${JSON.stringify(relative(folder, this.disk))}
run: ${JSON.stringify(relative(folder, this.runFolder))}
overrides:
  hello:
    PORT: "${await freePort()}" # devices on one machine share its ports
`,
    );
  }

  /** Switches it on; resolves once its agent is ready. */
  async start(signal?: AbortSignal): Promise<AgentStatus> {
    const run = await this.#supervisor.start(this.name, {
      command: executable("roboticks-agent"),
      arguments: ["run", "--settings", this.#settingsFile],
      environment: childEnvironment(),
      workingDirectory: this.#home.folder,
      restart: "on-failure",
      // Stopping it means to switch it off; an orderly end is asked for through its socket.
      stopSignal: "SIGKILL",
    });
    return until(
      `the start of ${this.name}`,
      async () => {
        await throwIfEnded(run);
        const status = await this.agent.status();
        return status.ready && status.pid === run.status().pid && status;
      },
      signal ? { signal } : {},
    );
  }

  /** The agent's process, while there is one. */
  get agentPid(): number | undefined {
    return this.#supervisor.get(this.name)?.status().pid;
  }

  /** Ends agent and workloads in order. */
  async shutDown(): Promise<void> {
    const run = this.#supervisor.get(this.name);
    try {
      await this.agent.stop({ workloads: true });
      await Promise.race([run?.exited, stillThereAfter(20_000)]);
    } catch {
      // One that does not answer (it may never have started) is ended below like any other.
    }
    await this.#supervisor.stop(this.name);
    await this.reap();
  }

  /** Cuts its power: agent and workloads are killed at once, and its run folder is emptied. */
  async cutPower(): Promise<void> {
    await this.#supervisor.stop(this.name);
    await this.reap();
    await rm(this.runFolder, { recursive: true, force: true });
  }

  /** Ends workloads that have no agent any more. */
  async reap(): Promise<void> {
    const processes = join(this.runFolder, "processes");
    if (!existsSync(processes)) return;
    await using orphans = await ProcessSupervisor.open({
      root: processes,
      logs: join(this.disk, "logs"),
    });
    await Promise.all(orphans.list().map(({ name }) => orphans.stop(name)));
  }
}

/** A port that nobody listens on now. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(0, "127.0.0.1", resolve);
  });
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === "object" && address ? address.port : 0;
}

function stillThereAfter(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms).unref();
  });
}
