import { CapsuleError, type CapsuleManager, type CapsuleRun } from "@roboticks/capsule";
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
      if (!source) {
        throw new AgentError(
          "ERR_AGENT_NO_PLATFORM",
          `capsule ${digest} is not on this device, and there is no platform to fetch it from; set dsnFile`,
        );
      }
      const headers = () => source.headers(signal);
      try {
        await manager.install({ url: source.url(digest), digest, size, headers }, { signal });
      } catch (error) {
        // What to fetch was signed; that it cannot be had now says nothing against it.
        if (!(error instanceof CapsuleError) || error.code !== "ERR_CAPSULE_DOWNLOAD") throw error;
        throw new CapsuleError(error.code, error.message, { cause: error, retryable: true });
      }
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
          "ERR_AGENT_CAPSULE_GONE",
          `capsule ${digest} of ${use} is not on this device any more; deploy it again`,
        );
      }
      await manager.start(capsule, { as: use, environment: variables, tag });
    },
    stop: (use) => manager.stop(use),
    running() {
      // A use of which a process has ended for good does not run: it is to be started again.
      const ended = (run: CapsuleRun): boolean =>
        run.processes.some((process) => process.run.status().state === "ended");
      const runs = manager.runs().filter((run) => !ended(run));
      return new Map(runs.map(({ as, tag }) => [as, tag]));
    },
    async lastLines(use) {
      const all = manager.get(use)?.processes ?? [];
      // One that talks on while another fails is not to drown what that one said.
      const failing = all.filter(({ run }) => {
        const { state, crashLooping } = run.status();
        return state !== "running" || crashLooping;
      });
      const shown = failing.length > 0 ? failing : all;
      const share = Math.ceil(20 / Math.max(1, shown.length));
      const lines = shown.map(async ({ name, run }) => {
        const last = await run.lastLines(share);
        return all.length === 1 ? last : last.map((line) => `${name}: ${line}`);
      });
      return (await Promise.all(lines)).flat();
    },
    remove: (digest) => manager.remove(digest),
  };
}
