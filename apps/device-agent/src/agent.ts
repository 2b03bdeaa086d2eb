import { chmod, mkdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { CapsuleManager } from "@roboticks/capsule";
import { ConfigurationManager } from "@roboticks/config";
import {
  type Clock,
  type Logger,
  parseDuration,
  silentLogger,
  systemClock,
  toError,
} from "@roboticks/core";
import { DeploymentManager } from "@roboticks/deployment";
import { HealthMonitor } from "@roboticks/health";
import type { AgentSettings } from "@roboticks/spec/agent";
import { openSqliteStore, type Store, StoreError } from "@roboticks/store";
import { ProcessSupervisor } from "@roboticks/supervisor";
import { deployableCapsules } from "./capsules.ts";
import { deployableConfigurations } from "./configurations.ts";
import { AgentError } from "./errors.ts";
import { deployableHealth } from "./health.ts";
import { Identity } from "./identity.ts";
import { openLocalApi, refuseIfShared } from "./local-api.ts";
import { PlatformLink } from "./platform-link.ts";
import { readDsn } from "./settings.ts";
import { statusOf } from "./status.ts";
import { assignmentVerifier } from "./verifier.ts";

/** Options of {@link Agent.start}. */
export interface AgentOptions {
  readonly settings: AgentSettings;
  /** The agent's own version. */
  readonly version: string;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** Wraps the store, e.g. to count or fail its writes. Default: as it is. */
  readonly wrapStore?: (store: Store) => Store;
}

/**
 * The agent: every manager, wired. It drives itself from `start` on; `ended` resolves when it was
 * asked through its socket to end, and is to be disposed then.
 */
export class Agent implements AsyncDisposable {
  /**
   * Resolves with what is to become of the workloads, once somebody asks the agent to end.
   * Rejects when it cannot go on: the platform refuses this device and nothing runs here, or its
   * store was stopped by the disk. It is to be disposed in every case.
   */
  readonly ended: Promise<{ readonly stopWorkloads: boolean }>;
  readonly deployments: DeploymentManager;
  readonly #stack: AsyncDisposableStack;
  readonly #stopWorkloads: () => Promise<void>;

  private constructor(
    ended: Agent["ended"],
    deployments: DeploymentManager,
    stack: AsyncDisposableStack,
    stopWorkloads: () => Promise<void>,
  ) {
    this.ended = ended;
    this.deployments = deployments;
    this.#stack = stack;
    this.#stopWorkloads = stopWorkloads;
  }

  /**
   * Takes up what runs, starts what should, and answers on its socket once this resolves. The
   * platform is not waited for, but where nothing was ever deployed and it refuses this device,
   * there is nothing to do.
   *
   * @throws {AgentError} `ERR_AGENT_FOLDER`, `ERR_AGENT_ROOT_IN_USE`, `ERR_AGENT_SOCKET`,
   *   `ERR_AGENT_DSN`
   */
  static async start({
    settings,
    version,
    clock = systemClock,
    logger = silentLogger,
    wrapStore = (store) => store,
  }: AgentOptions): Promise<Agent> {
    await using stack = new AsyncDisposableStack();
    const { root, run, name: device } = settings;
    for (const folder of [root, run]) await makePrivate(folder);

    const store = stack.use(wrapStore(await openStore(root, logger)));
    await refuseIfShared(run);
    const identity = await Identity.open(root, { logger });
    const supervisor = stack.use(
      await ProcessSupervisor.open({
        root: join(run, "processes"),
        logs: join(root, "logs"),
        clock,
        logger,
      }),
    );
    const capsules = stack.use(
      await CapsuleManager.open({ root, launcher: supervisor, clock, logger }),
    );
    const configurations = await ConfigurationManager.open({
      root: join(root, "configurations"),
      logger,
    });
    const monitor = stack.use(new HealthMonitor({ clock, logger }));
    const dsn = settings.dsnFile ? await readDsn(settings.dsnFile) : undefined;
    const waitMs = parseDuration(settings.poll.wait) ?? 0;
    const link = dsn && new PlatformLink({ device, dsn, identity, waitMs, clock, logger });

    const deployments = stack.use(
      await DeploymentManager.open({
        store,
        verifier: assignmentVerifier({ device, anchor: () => identity.anchor, clock }),
        capsules: deployableCapsules(capsules, link),
        configurations: deployableConfigurations(configurations, capsules, settings.overrides),
        health: deployableHealth({ monitor, capsules }),
        clock,
        logger,
      }),
    );
    deployments.on("reported", (report) => logger.info({ report }, "deployment"));

    const ended = Promise.withResolvers<{ stopWorkloads: boolean }>();
    ended.promise.catch(() => {}); // whoever waits for it hears of it; nobody has to
    store.stopped.then(ended.reject, () => {}); // it never rejects
    stack.use(
      await openLocalApi({
        folder: run,
        logger,
        status: () => statusOf({ device, version, deployments, capsules, monitor, link, identity }),
        shutdown: ended.resolve,
      }),
    );
    if (link) {
      stack.use(link);
      link.enroll().then(
        () => link.start(deployments),
        (error: unknown) => {
          logger.error({ error: toError(error).message }, "the platform refuses this device");
          // What runs here goes on; without anything that runs there is nothing to stay for.
          if (!deployments.state.running) ended.reject(error);
        },
      );
    }
    const stopWorkloads = async (): Promise<void> => {
      await Promise.all(capsules.runs().map((run) => run.stop()));
    };
    return new Agent(ended.promise, deployments, stack.move(), stopWorkloads);
  }

  /** Stops everything that this agent runs, then ends it. The next start begins it again. */
  async stopWorkloads(): Promise<void> {
    await this.deployments[Symbol.asyncDispose](); // nothing is started behind our back
    await this.#stopWorkloads();
  }

  /** Ends the agent; the workloads go on. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack[Symbol.asyncDispose]();
  }
}

/** Makes a folder that others may not enter: keys, sockets and what a process is given are in it. */
async function makePrivate(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const { mode } = await stat(folder);
    // A group that the owner let in may stay, for reading.
    if ((mode & 0o027) !== 0) await chmod(folder, mode & 0o750);
  } catch (cause) {
    const why = toError(cause).message;
    throw new AgentError("ERR_AGENT_FOLDER", `the folder ${folder} cannot be used: ${why}`, {
      cause,
    });
  }
}

/** The store's lock is also what keeps a second agent off this root. */
async function openStore(root: string, logger: Logger): Promise<Store> {
  try {
    return await openSqliteStore({ path: join(root, "agent.db"), logger });
  } catch (cause) {
    if (!(cause instanceof StoreError) || cause.code !== "ERR_STORE_LOCKED") throw cause;
    throw new AgentError(
      "ERR_AGENT_ROOT_IN_USE",
      `another agent runs on ${root}; stop it first, or choose another root`,
      { cause },
    );
  }
}
