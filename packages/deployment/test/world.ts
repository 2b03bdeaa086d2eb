import { type Digest, digestOf } from "@roboticks/core/digest";
import { ManualClock } from "@roboticks/core/testing";
import type { Deployment, Envelope } from "@roboticks/spec/deployment";
import { type Change, MemoryData, openMemoryStore, type Store } from "@roboticks/store";
import {
  type Capsules,
  type Configurations,
  DeploymentManager,
  type Health,
  type Rejected,
  type Settled,
  type Verified,
} from "../src/index.ts";

type Nature = "healthy" | "unhealthy" | "never" | "unknown" | "will not start";

/** A deployment of one use, `app`, whose capsule is of the given nature. */
export function deploymentOf(
  version: string,
  { greeting = "Hello", uses = ["app"], capsule = version, probation = "30m" } = {},
): Deployment {
  return {
    apiVersion: "roboticks/v1",
    kind: "Deployment",
    name: "robot",
    version,
    activation: {
      strategy: "replace",
      minHealthyTime: "10s",
      healthyDeadline: "5m",
      probation,
      progressDeadline: "10m",
    },
    capsules: Object.fromEntries(
      uses.map((use) => [
        use,
        {
          capsule: {
            name: use,
            version: capsule,
            digest: digestOf(`${use} ${capsule}`),
            size: 1_000,
          },
          environment: { GREETING: greeting },
          health: [],
        },
      ]),
    ),
  };
}

export function identityOf(deployment: Deployment): Digest {
  return digestOf(JSON.stringify(deployment));
}

/** A device that outlives its agents: what is on its disk, and what runs on it. */
export class World {
  readonly clock = new ManualClock();
  readonly data = new MemoryData();
  /** Added to every port's text. */
  noise = "";
  /** Use → tag and capsule of what runs. */
  readonly running = new Map<string, { tag: string; digest: Digest }>();
  readonly present = new Set<Digest>();
  readonly configurations = new Map<string, Readonly<Record<string, string>>>();
  readonly natures = new Map<Digest, Nature>();
  /** Every start and stop, in order. */
  readonly log: string[] = [];
  /** Thrown by installs while set. */
  offline: Error | undefined;
  /** Whether every order has expired. */
  expired = false;
  /** Capsules whose files are damaged. */
  readonly damaged = new Set<Digest>();
  /** Uses that fail on probation. */
  readonly failing = new Set<string>();
  /** Names of checks that fail now, by use. */
  readonly failingChecks = new Map<string, string[]>();
  readonly seen: { ignored: readonly string[] }[] = [];

  /** The version that a use runs, as its capsule says; nothing: it does not run. */
  version(use = "app"): string | undefined {
    const digest = this.running.get(use)?.digest;
    return ["1.0.0", "2.0.0", "3.0.0"].find((version) => digestOf(`${use} ${version}`) === digest);
  }

  nature(version: string, nature: Nature, use = "app"): void {
    this.natures.set(digestOf(`${use} ${version}`), nature);
  }

  natureOf(version: string, use = "app"): Nature {
    return this.natures.get(digestOf(`${use} ${version}`)) ?? "healthy";
  }

  /**
   * An agent on this device. `crash` ends it, as a power cut would, at its n-th write: before or
   * after that is on disk. Nothing that it calls has an effect from then on.
   */
  async boot(crash?: Crash): Promise<Agent> {
    const life: Life = { dead: false, writes: 0 };
    this.data.open = false; // the lock of a dead process is gone
    const store = crashing(openMemoryStore({ data: this.data }), life, crash);
    const manager = await DeploymentManager.open({
      store,
      verifier: { verify: (envelope) => trusting(envelope, this.expired) },
      capsules: this.#capsules(life),
      configurations: this.#configurations(life),
      health: this.#health(life),
      clock: this.clock,
    });
    return { manager, life };
  }

  #capsules(life: Life): Capsules {
    const alive = guard(life);
    return {
      install: async (capsule) => {
        alive();
        if (this.offline) throw this.offline;
        this.present.add(capsule.digest);
      },
      present: async () => new Set(this.present),
      intact: async (digest) => !this.damaged.has(digest),
      start: async (use, { digest, variables, tag }) => {
        alive();
        const now = this.running.get(use);
        if (now?.tag === tag) return;
        if (now) throw new Error(`${use} runs already`);
        if (this.natures.get(digest) === "will not start") {
          throw Object.assign(new Error(`no such file${this.noise}`), {
            code: "ERR_CAPSULE_START",
          });
        }
        this.running.set(use, { tag, digest });
        this.log.push(`start ${use} ${this.version(use)} ${variables.GREETING}`);
      },
      stop: async (use) => {
        alive();
        if (this.running.delete(use)) this.log.push(`stop ${use}`);
      },
      running: () => new Map([...this.running].map(([use, { tag }]) => [use, tag])),
      lastLines: async (use) => [`${use} said something${this.noise}`],
      remove: async (digest) => {
        alive();
        this.present.delete(digest);
      },
    };
  }

  #configurations(life: Life): Configurations {
    const alive = guard(life);
    return {
      stage: async (use, { environment }) => {
        alive();
        const version = digestOf(JSON.stringify([use, environment]));
        this.configurations.set(version, environment);
        return version;
      },
      read: async (_use, version) => {
        const found = this.configurations.get(version);
        if (!found) throw new Error(`no configuration ${version}`);
        return found;
      },
      collect: async () => alive(),
    };
  }

  #health(life: Life): Health {
    const alive = guard(life);
    return {
      validate: () => {},
      watch: async () => alive(),
      unwatch: async () => alive(),
      failing: (use) => this.failingChecks.get(use) ?? [],
      settle: async (use, { healthyForMs, withinMs, ignore, signal }): Promise<Settled> => {
        alive();
        this.seen.push({ ignored: ignore });
        const digest = this.running.get(use)?.digest;
        const nature = digest ? (this.natures.get(digest) ?? "healthy") : "unhealthy";
        if (nature === "healthy" && healthyForMs <= withinMs) {
          await this.clock.sleep(healthyForMs, { signal });
          return { kind: "healthy" };
        }
        if (nature === "unhealthy") {
          await this.clock.sleep(1_000, { signal });
          return { kind: "unhealthy", check: "http", reason: "503: map not loaded" };
        }
        await this.clock.sleep(withinMs, { signal });
        return nature === "unknown"
          ? { kind: "unknown", check: "http", reason: "no answer from the check" }
          : { kind: "deadline", check: "http", reason: "still starting" };
      },
      failed: async (use, { lastingMs, signal }) => {
        for (;;) {
          await this.clock.sleep(Math.max(1_000, lastingMs), { signal });
          if (this.failing.has(use)) return { check: "process", reason: "ended 5 times in 60s" };
        }
      },
    };
  }
}

export interface Agent {
  readonly manager: DeploymentManager;
  readonly life: Life;
}

/** When an agent ends: at its n-th write (1, 2, …), which is or is not on disk then. */
export interface Crash {
  readonly at: number;
  readonly written: boolean;
}

interface Life {
  dead: boolean;
  writes: number;
}

class PowerCut extends Error {}

function guard(life: Life): () => void {
  return () => {
    if (life.dead) throw new PowerCut("dead");
  };
}

/** Takes every envelope for what it says: `{ assignment, deployment, retry }`. */
async function trusting({ signed }: Envelope, expired: boolean): Promise<Verified | Rejected> {
  const order: { assignment: number; deployment: Deployment; retry: boolean } = JSON.parse(
    JSON.stringify(signed),
  );
  const { assignment, deployment, retry } = order;
  const claims = { assignment, deployment, digest: identityOf(deployment) };
  if (deployment.name === "forged") {
    const message = "not signed by the operator";
    return { kind: "rejected", code: "ERR_TRUST_SIGNATURE", message, claims };
  }
  if (expired) return { kind: "rejected", code: "ERR_EXPIRED", message: "too late", claims };
  return { kind: "verified", retry, ...claims };
}

export function order(assignment: number, deployment: Deployment, retry = false): Envelope {
  const signed = JSON.parse(JSON.stringify({ assignment, deployment, retry }));
  return { signed, signatures: [] };
}

function crashing(store: Store, life: Life, crash: Crash | undefined): Store {
  const alive = guard(life);
  return {
    stopped: store.stopped,
    get: (collection, key) => store.get(collection, key),
    list: (collection) => store.list(collection),
    read: (journal, options) => store.read(journal, options),
    write: async (changes: readonly Change[]) => {
      alive();
      life.writes++;
      if (life.writes !== crash?.at) return store.write(changes);
      if (crash.written) await store.write(changes);
      life.dead = true;
      throw new PowerCut("the power is cut");
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}
