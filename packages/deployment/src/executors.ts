import { toError } from "@roboticks/core";
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
 * Does a step and takes it back. Both may be called again after they were cut off anywhere, and
 * `undo` also where `apply` never began. Staging disturbs nothing, so it needs no undo: what no
 * deployment needs any more is collected after the ending.
 */
interface Executor<S extends Step> {
  apply(step: S, context: StepContext): Promise<void>;
  undo?(step: S, context: StepContext): Promise<void>;
}

/** How each kind of step is done. */
export const executors: {
  readonly [Kind in Step["kind"]]: Executor<Extract<Step, { kind: Kind }>>;
} = {
  installCapsule: {
    async apply({ use }, { attempt, capsules, signal }) {
      const { capsule } = useOf(attempt.to, use);
      // One that is there is not fetched again, unless its files were damaged meanwhile.
      if ((await capsules.present()).has(capsule.digest)) {
        if (await capsules.intact(capsule.digest)) return;
        await capsules.remove(capsule.digest);
      }
      await capsules.install(capsule, { signal });
    },
  },
  stageConfiguration: {
    async apply({ use }, { attempt, configurations, health, configured }) {
      const { capsule, environment, health: checks } = useOf(attempt.to, use);
      const version = await configurations.stage(use, { capsule: capsule.digest, environment });
      health.validate({ checks, variables: await configurations.read(use, version) });
      configured(use, version);
    },
  },
  stopCapsule: {
    async apply({ use }, context) {
      // After an interruption the new one may run already.
      if (!runs(context.capsules, context.attempt.to, use)) await stopUse(context, use);
    },
    async undo({ use }, context) {
      const { from } = context.attempt;
      if (from) await startUse(context, from, use, { verify: true });
    },
  },
  startCapsule: {
    async apply({ use }, context) {
      await startUse(context, context.attempt.to, use);
    },
    async undo({ use }, context) {
      // After an interruption the old one may run again already.
      const { from } = context.attempt;
      if (!from || !runs(context.capsules, from, use)) await stopUse(context, use);
    },
  },
};

/** Does `step`, whatever its kind. */
export function applyStep(step: Step, context: StepContext): Promise<void> {
  const executor: Executor<Step> = executors[step.kind];
  return executor.apply(step, context);
}

/** Takes `step` back, whatever its kind. */
export async function undoStep(step: Step, context: StepContext): Promise<void> {
  const executor: Executor<Step> = executors[step.kind];
  await executor.undo?.(step, context);
}

/** Options of {@link converge}. */
export interface ConvergeOptions {
  /** Whether the files of what is to be started are checked first. Default false. */
  readonly verify?: boolean;
}

/**
 * Has just the uses of `wanted` running, as it has them, and watched; whatever else runs is
 * stopped, and what is right already is left alone. One use that cannot be started keeps no
 * other from it.
 *
 * @throws {ConvergeError} for the first use that could not be brought about, after all were tried
 */
export async function converge(
  managers: Managers,
  wanted: Installed | undefined,
  options: ConvergeOptions = {},
): Promise<void> {
  const failures: ConvergeError[] = [];
  const attempt = async (use: string, work: () => Promise<void>): Promise<void> => {
    await work().catch((cause: unknown) => failures.push(new ConvergeError(use, cause)));
  };
  const uses = Object.keys(wanted?.deployment.capsules ?? {}).sort();
  for (const use of managers.capsules.running().keys()) {
    if (!uses.includes(use)) await attempt(use, () => stopUse(managers, use));
  }
  for (const use of uses) {
    await attempt(use, async () => {
      if (wanted) await startUse(managers, wanted, use, options);
    });
  }
  if (failures[0]) throw failures[0];
}

/** Why a use is not as it should be; `cause` is what was thrown. */
export class ConvergeError extends Error {
  readonly use: string;

  constructor(use: string, cause: unknown) {
    super(`${use}: ${toError(cause).message}`, { cause });
    this.use = use;
  }
}

/** Whether every use of `installed` runs as it has it. */
export function runsWhole(capsules: Capsules, installed: Installed): boolean {
  return Object.keys(installed.deployment.capsules).every((use) => runs(capsules, installed, use));
}

/** Starts a use as `installed` has it, in place of whatever runs by its name, and watches it. */
async function startUse(
  managers: Managers,
  installed: Installed,
  use: string,
  { verify = false }: ConvergeOptions = {},
): Promise<void> {
  const { capsules, configurations, health } = managers;
  const { capsule, health: checks } = useOf(installed, use);
  const tag = tagOf(installed, use);
  const version = installed.configurations[use];
  const variables = version ? await configurations.read(use, version) : {};
  const running = capsules.running().get(use);
  if (running !== tag) {
    if (verify && !(await capsules.intact(capsule.digest))) {
      throw new DeploymentError(
        "ERR_DEPLOYMENT_DAMAGED",
        `files of ${use} ${installed.deployment.version} (capsule ${capsule.digest}) are damaged, so it cannot be gone back to; deploy it again`,
      );
    }
    if (running !== undefined) await stopUse(managers, use);
    await capsules.start(use, { digest: capsule.digest, variables, tag });
  }
  await health.watch(use, { checks, variables, tag });
}

async function stopUse({ capsules, health }: Managers, use: string): Promise<void> {
  await health.unwatch(use);
  await capsules.stop(use);
}

function runs(capsules: Capsules, installed: Installed, use: string): boolean {
  return (
    use in installed.deployment.capsules && capsules.running().get(use) === tagOf(installed, use)
  );
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
