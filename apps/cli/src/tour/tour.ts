import { spawnSync } from "node:child_process";
import { createReadStream } from "node:fs";
import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative, resolve } from "node:path";
import { readManifest } from "@roboticks/archive";
import { PlatformClient } from "@roboticks/client";
import { digestOf } from "@roboticks/core/digest";
import { DevFleet } from "../dev/fleet.ts";
import { until } from "../dev/until.ts";
import { CliError } from "../errors.ts";
import { helloWorld } from "../executables.ts";
import { say } from "../output.ts";
import { expectSeen, greetingAt, isAlive } from "./observe.ts";
import { Screen } from "./screen.ts";

/** Options of {@link runTour}. */
export interface TourOptions {
  /** A folder of the tour's own; emptied first. */
  readonly folder: string;
  readonly signal: AbortSignal;
}

/** The use that the sample's deployment names. */
const use = "hello";

/**
 * Shows what Roboticks does, through its public commands and API only, and checks every step by
 * looking at the world: what the workload answers, its process, the platform's record.
 *
 * @throws {CliError} `ERR_CLI_TOUR` with the first step whose claim was not observed
 */
export async function runTour({ folder, signal }: TourOptions): Promise<void> {
  const sample = helloWorld();
  say("Starting a platform and a virtual device …");
  const pids: number[] = [];
  {
    await using fleet = await DevFleet.start({ folder, devices: 1, fresh: true, signal });
    await clearSamples(folder);
    const tour = await Tour.prepare({ folder, sample, fleet, signal, pids });
    await tour.run();
  }
  for (const pid of pids) {
    await until(`the end of process ${pid}`, async () => !(await isAlive(pid)));
  }
  process.stdout.write(
    [
      "\nEverything that was started has ended. Its state is in .roboticks/tour. Three things to try next:",
      "  npm run -s roboticks -- dev            a platform and a device that stay up",
      "  npm run -s roboticks -- dev --devices 3",
      "  docs/life-of-a-deployment.md           what happened just now, step by step\n",
    ].join("\n"),
  );
}

/** Removes what an earlier tour built; whoever calls has the lock of the folder. */
async function clearSamples(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith("hello-world-")) await rm(join(folder, name), { recursive: true });
  }
}

/** What a tour is made of. */
interface TourParts extends TourOptions {
  /** Folder of the sample workload. */
  readonly sample: string;
  readonly fleet: DevFleet;
  /** Takes every process of the workload, to see in the end that none is left. */
  readonly pids: number[];
}

class Tour {
  readonly #folder: string;
  readonly #sample: string;
  readonly #fleet: DevFleet;
  readonly #screen: Screen;
  readonly #client: PlatformClient;
  readonly #port: number;
  readonly #signal: AbortSignal;
  readonly #pids: number[];

  private constructor(options: TourParts, port: number, token: string) {
    const { folder, sample, fleet, signal, pids } = options;
    this.#folder = folder;
    this.#sample = sample;
    this.#fleet = fleet;
    this.#signal = signal;
    this.#pids = pids;
    this.#port = port;
    this.#screen = new Screen({ contextFile: fleet.contextFile, signal });
    const { url, project } = fleet.platform;
    this.#client = new PlatformClient({ endpoint: url, project, token });
  }

  static async prepare(options: TourParts): Promise<Tour> {
    const port = await options.fleet.devices[0]?.port();
    const token = (await readFile(options.fleet.platform.tokenFile, "utf8")).trim();
    return new Tour(options, port ?? 0, token);
  }

  async run(): Promise<void> {
    const screen = this.#screen;
    await screen.step("Pack a capsule, push it; the device enrolls", () => this.#packAndPush());
    await screen.step("Deploy v1", () => this.#deployFirst());
    await screen.step("Change only the environment", () => this.#reconfigure());
    await screen.step("Update to v2", () => this.#update());
    await screen.step("Kill the agent: the workload goes on", () => this.#killAgent());
    await screen.step("A broken v3: back to v2 by itself", () => this.#deployBroken());
    await screen.step("Power cut, no network: v2 starts from the disk", () => this.#bootOffline());
    screen.line(`\n${screen.summary()}`);
  }

  async #packAndPush(): Promise<void> {
    const archive = await this.#pack("1.0.0");
    const digest = digestOf(await readManifest(createReadStream(archive)));
    const [capsule] = await this.#client.findCapsules({ name: "hello-world", version: "1.0.0" });
    expectSeen("the platform's digest of hello-world@1.0.0", capsule?.digest, digest);
    this.#screen.checked(
      `the platform has it under the digest of its manifest, ${digest.slice(0, 19)}…`,
    );
    const enrolled = await until("the enrolment", async () => {
      return (await this.#client.listDevices()).find(({ name }) => name === this.#device.name);
    });
    const status = await this.#device.agent.status();
    expectSeen("how the device came to trust its root", status.trust?.pinned, "dsn");
    this.#screen.checked(
      `${enrolled.name} has enrolled with its DSN, and trusts the root that this names`,
    );
  }

  async #deployFirst(): Promise<void> {
    await this.#writeDeployment("1.0.0", { capsule: "1.0.0", greeting: "Hello" });
    await this.#deploy(0);
    await this.#sees("Hello from v1");
  }

  async #reconfigure(): Promise<void> {
    const before = await this.#workloadPid();
    const disk = await this.#capsulesOnDisk();
    this.#screen.does(`${this.#show("environment.yaml")}: GREETING is "Moin" now`);
    await this.#writeDeployment("1.0.1", { capsule: "1.0.0", greeting: "Moin" });
    await this.#deploy(0);
    await this.#sees("Moin from v1");
    expectSeen("whether the workload was restarted", (await this.#workloadPid()) !== before, true);
    expectSeen("what is on the device's disk", (await this.#capsulesOnDisk()).join(), disk.join());
    this.#screen.checked("nothing was downloaded: the device has the one capsule that it had");
  }

  async #update(): Promise<void> {
    await this.#pack("2.0.0");
    await this.#writeDeployment("2.0.0", { capsule: "2.0.0", greeting: "Moin" });
    await this.#deploy(0);
    await this.#sees("Moin from v2");
    const { deployment } = await this.#device.agent.status();
    expectSeen("the deployment that is kept", deployment?.previous[0]?.version, "1.0.1");
    expectSeen("how many capsules the device has", (await this.#capsulesOnDisk()).length, 2);
    this.#screen.checked("1.0.1 is kept on the device, to go back to");
  }

  async #killAgent(): Promise<void> {
    const agent = this.#device.agentPid;
    const workload = await this.#workloadPid();
    if (agent === undefined) throw new CliError("ERR_CLI_TOUR", "there is no agent to kill");
    this.#screen.does(`kill -9 ${agent} (the agent)`);
    process.kill(agent, "SIGKILL");
    expectSeen("the answer without an agent", await greetingAt(this.#port), "Moin from v2");
    const status = await until("the next agent", async () => {
      const status = await this.#device.agent.status();
      return status.pid !== agent && status.ready && status;
    });
    expectSeen("the workload's process id", await this.#workloadPid(), workload);
    expectSeen("whether that process is alive", await isAlive(workload), true);
    await this.#sees("Moin from v2");
    this.#screen.checked(`the new agent (${status.pid}) has adopted process ${workload}`);
  }

  async #deployBroken(): Promise<void> {
    const workload = await this.#workloadPid();
    await this.#pack("3.0.0", "--broken");
    await this.#writeDeployment("3.0.0", { capsule: "3.0.0", greeting: "Moin" });
    await this.#deploy(1);
    await this.#sees("Moin from v2");
    const record = await this.#client.getDevice(this.#device.name);
    expectSeen("the platform's record of v3", record.latest?.state, "reverted");
    expectSeen("what the platform says that runs", record.running?.version, "2.0.0");
    expectSeen("the check that failed", record.latest?.cause?.check, "http");
    const evidence = record.latest?.cause?.lastLines.find((line) => line.includes("ERROR"));
    expectSeen("whether the platform has the last log lines", evidence !== undefined, true);
    this.#screen.checked(
      `the platform shows v3 as failed, by check http, with its log: ${evidence}`,
    );
    const restarted = await this.#workloadPid();
    expectSeen("whether v2 was started again", restarted !== workload, true);
    await this.#screen.roboticks("why", this.#device.name);
    // The same deployment again, from a new order: it is refused, and nothing is touched.
    await this.#deploy(1);
    expectSeen("the workload's process id", await this.#workloadPid(), restarted);
    this.#screen.checked("v3 is not tried again");
  }

  async #bootOffline(): Promise<void> {
    const workload = await this.#workloadPid();
    this.#screen.does("the platform is stopped; the device loses its power");
    await this.#fleet.platform.stop();
    await this.#device.cutPower();
    expectSeen("the answer without power", await greetingAt(this.#port), "(no answer)");
    expectSeen("whether the workload is alive", await isAlive(workload), false);
    const reachable = await this.#client.ping().then(
      () => true,
      () => false, // as it should be
    );
    expectSeen("whether the platform can be reached", reachable, false);
    this.#screen.checked("nothing runs, and the platform cannot be reached");
    this.#screen.does("the device boots");
    await this.#device.start(this.#signal);
    await this.#sees("Moin from v2");
    await this.#workloadPid();
  }

  /** Builds a version of the sample, packs and pushes it; returns the archive. */
  async #pack(version: string, ...flags: readonly string[]): Promise<string> {
    const source = join(this.#folder, `hello-world-${version}`);
    const archive = `${source}.tar.zst`;
    const build = [
      join(this.#sample, "build.mjs"),
      "--version",
      version,
      "--out",
      source,
      ...flags,
    ];
    const { status, stderr } = spawnSync(process.execPath, build, { encoding: "utf8" });
    if (status !== 0) throw new CliError("ERR_CLI_TOUR", `the sample cannot be built: ${stderr}`);
    await this.#succeeds("pack", this.#show(source), "--output", this.#show(archive));
    await this.#succeeds("push", this.#show(archive));
    return archive;
  }

  /** Writes `deployment.yaml` and `environment.yaml` as the sample has them, but for these. */
  async #writeDeployment(
    version: string,
    { capsule, greeting }: { readonly capsule: string; readonly greeting: string },
  ): Promise<void> {
    const deployment = await readFile(join(this.#sample, "deployment.yaml"), "utf8");
    const environment = await readFile(join(this.#sample, "environment.yaml"), "utf8");
    await writeFile(
      join(this.#folder, "deployment.yaml"),
      deployment
        .replace(/^version: .*$/m, `version: ${version}`)
        .replace(/hello-world@\S+/, `hello-world@${capsule}`),
    );
    await writeFile(
      join(this.#folder, "environment.yaml"),
      environment.replace(/GREETING: .*$/m, `GREETING: ${greeting}`),
    );
  }

  /** Deploys what was written; `status` is what the command is to end with. */
  async #deploy(status: number): Promise<void> {
    const file = this.#show("deployment.yaml");
    const ended = await this.#screen.roboticks("deploy", file, "--device", this.#device.name);
    expectSeen("the command's exit status", ended, status);
  }

  async #succeeds(...args: readonly string[]): Promise<void> {
    expectSeen("the command's exit status", await this.#screen.roboticks(...args), 0);
  }

  async #sees(greeting: string): Promise<void> {
    // It runs before it listens: what it says last counts.
    await until("the answer", async () => (await greetingAt(this.#port)) === greeting, {
      timeoutMs: 5_000,
      signal: this.#signal,
    }).catch(() => {}); // said better below
    expectSeen("the answer of the workload", await greetingAt(this.#port), greeting);
    this.#screen.checked(`GET http://127.0.0.1:${this.#port}/ → "${greeting}"`);
  }

  /** The workload's process as the agent knows it; has to be alive. */
  async #workloadPid(): Promise<number> {
    const { capsules } = await this.#device.agent.status();
    const pid = capsules.find(({ name }) => name === use)?.pid;
    if (pid === undefined || !(await isAlive(pid))) {
      throw new CliError(
        "ERR_CLI_TOUR",
        `the workload's process is ${pid ?? "unknown"}, and not alive`,
      );
    }
    if (!this.#pids.includes(pid)) this.#pids.push(pid);
    return pid;
  }

  async #capsulesOnDisk(): Promise<string[]> {
    return (await readdir(join(this.#device.disk, "capsules", "hello-world"))).sort();
  }

  get #device() {
    const [device] = this.#fleet.devices;
    if (!device) throw new CliError("ERR_CLI_TOUR", "there is no device");
    return device;
  }

  /** A file of the tour as a user would type it. */
  #show(file: string): string {
    return relative(process.cwd(), resolve(this.#folder, file));
  }
}
