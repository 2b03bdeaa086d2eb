import { mkdir } from "node:fs/promises";
import { relative } from "node:path";
import { writeFileAtomic } from "@roboticks/core/fs";
import { openSqliteStore, StoreError } from "@roboticks/store";
import { ProcessSupervisor } from "@roboticks/supervisor";
import { CliError } from "../errors.ts";
import { DevDevice } from "./device.ts";
import { clear, devicesOf, homeOf } from "./home.ts";
import { ensureKeys } from "./keys.ts";
import { DevPlatform } from "./platform.ts";

/** Options of {@link DevFleet.start}. */
export interface DevFleetOptions {
  /** Folder of everything. */
  readonly folder: string;
  /** How many devices there are to be. */
  readonly devices: number;
  /** Whether everything from earlier is forgotten. */
  readonly fresh: boolean;
  readonly signal?: AbortSignal;
}

/**
 * A platform and devices on this machine. What an earlier one left running, because it was
 * killed, is ended first; what the devices had deployed is started again.
 */
export class DevFleet implements AsyncDisposable {
  readonly platform: DevPlatform;
  readonly devices: readonly DevDevice[];
  readonly contextFile: string;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    platform: DevPlatform,
    devices: readonly DevDevice[],
    contextFile: string,
    stack: AsyncDisposableStack,
  ) {
    this.platform = platform;
    this.devices = devices;
    this.contextFile = contextFile;
    this.#stack = stack;
  }

  /** @throws {CliError} `ERR_CLI_DEV_RUNNING`, `ERR_CLI_DEV_START`, `ERR_CLI_EXECUTABLE` */
  static async start({
    folder,
    devices: count,
    fresh,
    signal,
  }: DevFleetOptions): Promise<DevFleet> {
    await using stack = new AsyncDisposableStack();
    const home = homeOf(folder);
    await mkdir(home.folder, { recursive: true, mode: 0o700 });
    stack.use(await lock(home.lock));

    await reapAll(home);
    if (fresh) await clear(home);
    const supervisor = stack.use(await ProcessSupervisor.open({ root: home.processes }));

    const keys = await ensureKeys(home.keys);
    const platform = new DevPlatform({ home, supervisor, rootFile: keys.rootFile });
    stack.defer(() => platform.stop());
    await platform.start(signal);

    const dsn = {
      endpoint: platform.url,
      project: platform.project,
      key: await platform.dsnKey(),
      rootDigest: keys.rootDigest,
    };
    const devices = Array.from({ length: count }, (_, index) => {
      return new DevDevice({ name: `device-${index + 1}`, home, supervisor });
    });
    stack.defer(async () => {
      const ends = await Promise.allSettled(devices.map((device) => device.shutDown()));
      const failed = ends.find((end) => end.status === "rejected");
      if (failed) throw failed.reason;
    });
    await Promise.all(
      devices.map(async (device) => {
        await device.prepare(dsn);
        await device.start(signal);
      }),
    );
    await writeFileAtomic(
      home.context,
      `# Written by \`roboticks dev\`: which platform the other commands talk to in this folder.
apiVersion: roboticks/v1
kind: Context
server: ${platform.url}
project: ${platform.project}
tokenFile: ${JSON.stringify(relative(home.folder, platform.tokenFile))}
keyFile: ${JSON.stringify(relative(home.folder, keys.operatorKeyFile))}
`,
    );
    return new DevFleet(platform, devices, home.context, stack.move());
  }

  /** Ends everything, workloads included. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]();
  }
}

/** Ends platform, agents and workloads that were left without their `roboticks dev`. */
async function reapAll(home: ReturnType<typeof homeOf>): Promise<void> {
  await using supervisor = await ProcessSupervisor.open({ root: home.processes });
  await Promise.all(supervisor.list().map(({ name }) => supervisor.stop(name)));
  for (const name of await devicesOf(home)) {
    await new DevDevice({ name, home, supervisor }).reap();
  }
}

/** The lock of the store is one that the system takes back from whoever dies. */
async function lock(path: string): Promise<AsyncDisposable> {
  try {
    return await openSqliteStore({ path });
  } catch (cause) {
    if (!(cause instanceof StoreError) || cause.code !== "ERR_STORE_LOCKED") throw cause;
    throw new CliError(
      "ERR_CLI_DEV_RUNNING",
      "`roboticks dev` runs in this folder already; use that one, or end it first",
      { cause },
    );
  }
}
