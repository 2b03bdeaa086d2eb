import type { CapsuleManager } from "@roboticks/capsule";
import { parseDuration } from "@roboticks/core";
import type { Health, Variables } from "@roboticks/deployment";
import {
  type Cause,
  type Check,
  type CheckOptions,
  type HealthMonitor,
  http,
  process,
  type Target,
  tcp,
} from "@roboticks/health";
import type { HealthCheck } from "@roboticks/spec/deployment";
import { AgentError } from "./errors.ts";

/** How the processes of a use are watched where the deployment does not say. */
const processOptions: CheckOptions = { intervalMs: 2_000, startPeriodMs: 0 };

/** Options of {@link deployableHealth}. */
export interface DeployableHealthOptions {
  readonly monitor: HealthMonitor;
  readonly capsules: CapsuleManager;
}

/** Health as the deployment manager wants it: a target for each use. */
export function deployableHealth({ monitor, capsules }: DeployableHealthOptions): Health {
  const watched = new Map<string, string>();

  const targetOf = (use: string): Target => {
    const target = monitor.get(use);
    if (target) return target;
    throw new AgentError("ERR_AGENT_HEALTH", `${use} is not watched, so nothing is known of it`);
  };

  return {
    validate({ checks, variables }) {
      checksOf(checks, variables);
    },
    async watch(use, { checks, variables, tag }) {
      const print = JSON.stringify([checks, variables, tag]);
      if (watched.get(use) === print && monitor.get(use)) return;
      await monitor.unwatch(use);
      const timing = checks.find((check) => check.process)?.process;
      const options = timing ? optionsOf(timing) : processOptions;
      monitor.watch(use, [
        ...processChecks(capsules, use, options),
        ...checksOf(checks, variables),
      ]);
      watched.set(use, print);
    },
    async unwatch(use) {
      watched.delete(use);
      await monitor.unwatch(use);
    },
    failing(use) {
      const checks = monitor.get(use)?.snapshot({ results: 1 }).checks ?? [];
      return checks.filter(({ status }) => status === "failing").map(({ name }) => name);
    },
    async settle(use, options) {
      const { kind, cause } = await targetOf(use).settle(options);
      if (kind === "healthy") return { kind };
      return { kind, ...(cause ? failureOf(cause) : { reason: "no check has passed yet" }) };
    },
    async failed(use, options) {
      return failureOf(await targetOf(use).failed(options));
    },
  };
}

/** What failed, and how often of how often that counts. */
function failureOf({ check, reason, consecutiveFailures, of }: Cause) {
  return { check, reason: `${reason} (${consecutiveFailures} of ${of})` };
}

/** One check a process of the use: it runs, and does not crash again and again. */
function processChecks(capsules: CapsuleManager, use: string, options: CheckOptions): Check[] {
  const processes = capsules.get(use)?.processes ?? [];
  return processes.map(({ name }) =>
    process({
      name: processes.length === 1 ? "process" : `process ${name}`,
      status: () => {
        const run = capsules.get(use)?.processes.find((process) => process.name === name)?.run;
        return run?.status() ?? { state: "ended", restarts: 0, crashLooping: false };
      },
      ...options,
    }),
  );
}

/** The checks of a document as probes; a second one of a kind is called `http-2`. */
export function checksOf(checks: readonly HealthCheck[], variables: Variables): Check[] {
  const counts = new Map<string, number>();
  const nameOf = (kind: string): string => {
    const count = (counts.get(kind) ?? 0) + 1;
    counts.set(kind, count);
    return count === 1 ? kind : `${kind}-${count}`;
  };
  return checks.flatMap((check): Check[] => {
    if (check.http) {
      const { port, path, status, contains } = check.http;
      return [
        http({
          name: nameOf("http"),
          url: `http://127.0.0.1:${portOf(port, variables)}${path}`,
          ...(status === undefined ? {} : { expectStatus: status }),
          ...(contains === undefined ? {} : { expectBody: contains }),
          ...optionsOf(check.http),
        }),
      ];
    }
    if (check.tcp) {
      const port = portOf(check.tcp.port, variables);
      return [tcp({ name: nameOf("tcp"), port, ...optionsOf(check.tcp) })];
    }
    return []; // `process` only says how what is watched anyway is watched
  });
}

type Timing = Pick<
  NonNullable<HealthCheck["tcp"]>,
  "interval" | "timeout" | "startPeriod" | "successThreshold" | "failureThreshold"
>;

function optionsOf({ interval, timeout, startPeriod, ...thresholds }: Timing): CheckOptions {
  return {
    intervalMs: parseDuration(interval) ?? 0,
    timeoutMs: parseDuration(timeout) ?? 0,
    startPeriodMs: parseDuration(startPeriod) ?? 0,
    successThreshold: thresholds.successThreshold,
    failureThreshold: thresholds.failureThreshold,
  };
}

function portOf(port: number | string, variables: Variables): number {
  if (typeof port === "number") return port;
  const name = port.slice(2, -1);
  const value = variables[name];
  if (value !== undefined && /^[1-9]\d{0,4}$/.test(value) && Number(value) <= 65_535) {
    return Number(value);
  }
  throw new AgentError(
    "ERR_AGENT_HEALTH",
    `a check's port is ${port}, but ${name} is ${value === undefined ? "not set" : `"${value}", no port`}`,
  );
}
