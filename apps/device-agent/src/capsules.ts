import type { CapsuleManager } from "@roboticks/capsule";
import { digestOf } from "@roboticks/core/digest";
import type { Capsules } from "@roboticks/deployment";
import { AgentError } from "./errors.ts";

/** Where the archives of capsules are, and what is shown to get one. */
export interface CapsuleSource {
  url(digest: string): string;
  headers(signal: AbortSignal): Promise<Record<string, string>>;
}

/** Capsules as the deployment manager wants them, fetched from `source`. */
export function deployableCapsules(
  manager: CapsuleManager,
  source: CapsuleSource | undefined,
): Capsules {
  return {
    async install({ digest, size }, { signal }) {
      if (await manager.find(digest)) return;
      if (!source) {
        throw new AgentError(
          "ERR_AGENT_NO_PLATFORM",
          `capsule ${digest} is not on this device, and there is no platform to fetch it from; set dsnFile`,
        );
      }
      const headers = () => source.headers(signal);
      await manager.install({ url: source.url(digest), digest, size, headers }, { signal });
    },
    async present() {
      return new Set((await manager.list()).map(({ digest }) => digest));
    },
    async intact(digest) {
      return (await manager.find(digest)) !== undefined && (await manager.verify(digest)).ok;
    },
    async start(use, { digest, variables, tag }) {
      const capsule = await manager.find(digest);
      if (!capsule) {
        throw new AgentError(
          "ERR_AGENT_NO_PLATFORM",
          `capsule ${digest} of ${use} is not on this device any more; deploy it again`,
        );
      }
      await manager.start(capsule, { as: use, environment: variables, tag });
    },
    stop: (use) => manager.stop(use),
    running(use) {
      const run = manager.get(use);
      const all = run?.processes.every(({ run }) => run.status().state !== "ended");
      return all ? run?.tag : undefined;
    },
    async lastLines(use) {
      const runs = manager.get(use)?.processes ?? [];
      const lines = await Promise.all(runs.map(({ run }) => run.lastLines(20)));
      return lines.flat();
    },
    remove: (digest) => manager.remove(digest),
  };
}

/** What tells two lists of checks apart. */
export function fingerprint(value: object): string {
  return digestOf(JSON.stringify(value));
}
