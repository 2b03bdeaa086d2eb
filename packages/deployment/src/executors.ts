import { type Digest, digestOf } from "@roboticks/core/digest";
import { DeploymentError } from "./errors.ts";
import type { Step } from "./plan.ts";
import type { Capsules, Configurations, Health } from "./ports.ts";
import type { Attempt, Installed } from "./state.ts";

/** What executors work on. */
export interface Managers {
  readonly capsules: Capsules;
  readonly configurations: Configurations;
  readonly health: Health;
}

/** What a step is part of. */
export interface StepContext extends Managers {
  readonly attempt: Attempt;
  readonly signal: AbortSignal;
  /** Takes the version that a configuration was staged as. */
  readonly configured: (use: string, version: Digest) => void;
}

/**
 * Does a step and takes it back. Both may be called again after they were cut off anywhere,
 * and `undo` also where `apply` never began.
 */
interface Executor<S extends Step> {
  apply(step: S, context: StepContext): Promise<void>;
  undo(step: S, context: StepContext): Promise<void>;
}

/** How each kind of step is done. */
export const executors: {
  readonly [Kind in Step["kind"]]: Executor<Extract<Step, { kind: Kind }>>;
} = {
  installCapsule: {
    async apply({ use }, { attempt, capsules, signal }) {
      await capsules.install(useOf(attempt.to, use).capsule, { signal });
    },
    // What no deployment needs any more is collected after the ending.
    async undo() {},
  },
  stageConfiguration: {
    async apply({ use }, { attempt, configurations, configured }) {
      const { capsule, environment } = useOf(attempt.to, use);
      configured(use, await configurations.stage(use, { capsule: capsule.digest, environment }));
    },
    async undo() {},
  },
  stopCapsule: {
    async apply({ use }, context) {
      // After an interruption the new one may run already.
      const { capsules, attempt } = context;
      if (use in attempt.to.deployment.capsules && runs(capsules, attempt.to, use)) return;
      await stopUse(context, use);
    },
    async undo({ use }, context) {
      const { attempt, capsules } = context;
      if (!attempt.from || runs(capsules, attempt.from, use)) return;
      const { digest } = useOf(attempt.from, use).capsule;
      if (!(await capsules.intact(digest))) {
        throw new DeploymentError(
          "ERR_DEPLOYMENT_DAMAGED",
          `files of ${use} ${attempt.from.deployment.version} (capsule ${digest}) are damaged, so it cannot be gone back to; deploy it again`,
        );
      }
      await startUse(context, attempt.from, use);
    },
  },
  startCapsule: {
    async apply({ use }, context) {
      await startUse(context, context.attempt.to, use);
    },
    async undo({ use }, context) {
      const { attempt, capsules } = context;
      // After an interruption the old one may run again already.
      if (attempt.from && use in attempt.from.deployment.capsules) {
        if (runs(capsules, attempt.from, use)) return;
      }
      await stopUse(context, use);
    },
  },
};

/** Does `step`, whatever its kind. */
export function applyStep(step: Step, context: StepContext): Promise<void> {
  const executor: Executor<Step> = executors[step.kind];
  return executor.apply(step, context);
}

/** Takes `step` back, whatever its kind. */
export function undoStep(step: Step, context: StepContext): Promise<void> {
  const executor: Executor<Step> = executors[step.kind];
  return executor.undo(step, context);
}

/** Starts a use as `installed` has it, unless it runs so already, and watches it. */
async function startUse(
  { capsules, configurations, health }: Managers,
  installed: Installed,
  use: string,
): Promise<void> {
  const { capsule, health: checks } = useOf(installed, use);
  const version = installed.configurations[use];
  const variables = version ? await configurations.read(use, version) : {};
  const tag = tagOf(installed, use);
  await capsules.start(use, { digest: capsule.digest, variables, tag });
  await health.watch(use, { checks, variables, tag });
}

/** Has every use of `installed` running and watched; leaves alone what is. */
export async function ensure(managers: Managers, installed: Installed): Promise<void> {
  for (const use of Object.keys(installed.deployment.capsules).sort()) {
    await startUse(managers, installed, use);
  }
}

/** Whether a use runs now as `installed` has it. */
function runs(capsules: Capsules, installed: Installed, use: string): boolean {
  return capsules.running(use) === tagOf(installed, use);
}

async function stopUse({ capsules, health }: Managers, use: string): Promise<void> {
  await health.unwatch(use);
  await capsules.stop(use);
}

function useOf(installed: Installed, use: string): Installed["deployment"]["capsules"][string] {
  const found = installed.deployment.capsules[use];
  if (!found) {
    throw new DeploymentError(
      "ERR_DEPLOYMENT_UNKNOWN",
      `deployment ${installed.deployment.name} ${installed.deployment.version} has no use ${use}`,
    );
  }
  return found;
}

/** Tells one program from another: the same capsule with the same configuration. */
function tagOf(installed: Installed, use: string): string {
  const { capsule } = useOf(installed, use);
  return digestOf(`${capsule.digest} ${installed.configurations[use] ?? ""}`);
}
