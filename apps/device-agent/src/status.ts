import type { CapsuleManager } from "@roboticks/capsule";
import { type DeploymentManager, type Installed, labelOf } from "@roboticks/deployment";
import type { HealthMonitor } from "@roboticks/health";
import type { AgentStatus } from "@roboticks/spec/local";
import type { Identity } from "./identity.ts";
import type { PlatformLink } from "./platform-link.ts";

/** What a status is read from. */
export interface StatusSources {
  readonly device: string;
  readonly version: string;
  readonly deployments: DeploymentManager;
  readonly capsules: CapsuleManager;
  readonly monitor: HealthMonitor;
  readonly link: PlatformLink | undefined;
  readonly identity: Identity;
}

/** What the agent runs and how it stands with the platform. */
export function statusOf(sources: StatusSources): AgentStatus {
  const { device, version, deployments, link, identity } = sources;
  const { running, previous, attempt } = deployments.state;
  // On probation what ran before is not counted among the previous ones yet, but is kept like them.
  const kept = attempt?.phase === "probation" && attempt.from ? [attempt.from] : [];
  const shown = attempt && attempt.phase !== "staging" ? attempt.to : running;
  return {
    apiVersion: "roboticks/v1",
    version,
    device,
    pid: process.pid,
    ready: true,
    ...(link ? { platform: link.status } : {}),
    deployment: {
      ...(running ? { running: labelOf(running) } : {}),
      ...(attempt ? { latest: { deployment: labelOf(attempt.to), state: attempt.phase } } : {}),
      previous: [...kept, ...previous].map(labelOf),
    },
    capsules: shown ? usesOf(shown, sources) : [],
    ...(identity.anchor
      ? { trust: { rootVersion: identity.anchor.root.version, pinned: identity.anchor.pinned } }
      : {}),
  };
}

function usesOf(
  installed: Installed,
  { capsules, monitor }: StatusSources,
): AgentStatus["capsules"] {
  return Object.entries(installed.deployment.capsules).map(([use, { capsule }]) => {
    const status = capsules.get(use)?.processes[0]?.run.status();
    const { name, version, digest } = capsule;
    return {
      name: use,
      capsule: { name, version, digest },
      ...(status?.pid ? { pid: status.pid } : {}),
      state: status?.state ?? "ended",
      verdict: monitor.get(use)?.verdict ?? "unknown",
      restarts: status?.restarts ?? 0,
    };
  });
}
