import { formatSize } from "@roboticks/core";
import type { Digest } from "@roboticks/core/digest";
import type { CapsuleUse, Deployment } from "@roboticks/spec/deployment";
import * as z from "zod";

/** A deployment and its identity. */
export interface Identified {
  readonly digest: Digest;
  readonly deployment: Deployment;
}

/** One thing that is done. Each kind has an executor that can be repeated and undone. */
export const stepSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("installCapsule"), use: z.string() }),
  z.object({ kind: z.literal("stageConfiguration"), use: z.string() }),
  z.object({ kind: z.literal("stopCapsule"), use: z.string() }),
  z.object({ kind: z.literal("startCapsule"), use: z.string() }),
]);

export type Step = z.output<typeof stepSchema>;

/** What it takes to come from one deployment to the next; data, so that it can be shown first. */
export const planSchema = z.object({
  /** What runs when the plan is made; a plan for something else is stale. */
  basedOn: z.templateLiteral(["sha256:", z.string()]).optional(),
  to: z.templateLiteral(["sha256:", z.string()]),
  /** Disturbs nothing that runs. */
  stage: z.array(stepSchema),
  /** Undone in reverse. */
  activate: z.array(stepSchema),
  /** Uses that are left alone. */
  unchanged: z.array(z.string()),
  /** Bytes of archives that the device does not have. */
  bytesToFetch: z.number(),
  /** Whether there is something to go back to. */
  rollback: z.enum(["possible", "unavailable"]),
});

export type Plan = z.output<typeof planSchema>;

/**
 * The steps from `current` (nothing: an empty device) to `desired`. Pure.
 *
 * @param present capsules that the device has; default: those of `current`
 */
export function plan(
  current: Identified | undefined,
  desired: Identified,
  present: ReadonlySet<Digest> = capsulesOf(current?.deployment),
): Plan {
  const isPresent = (use: CapsuleUse | undefined): boolean =>
    use !== undefined && present.has(use.capsule.digest);
  const before = current?.deployment.capsules ?? {};
  const after = desired.deployment.capsules;
  const changed = Object.keys(after)
    .sort()
    // What is the same, but not on the disk any more, has to be installed and started again.
    .filter((use) => !sameProgram(before[use], after[use]) || !isPresent(after[use]));
  const removed = Object.keys(before)
    .sort()
    .filter((use) => !(use in after));
  const archives = new Map(
    changed.flatMap((use) => {
      const capsule = after[use]?.capsule;
      return capsule && !present.has(capsule.digest)
        ? [[capsule.digest, capsule.size] as const]
        : [];
    }),
  );
  return {
    ...(current ? { basedOn: current.digest } : {}),
    to: desired.digest,
    stage: changed.flatMap((use): Step[] => [
      { kind: "installCapsule", use },
      { kind: "stageConfiguration", use },
    ]),
    activate: [
      ...removed.map((use): Step => ({ kind: "stopCapsule", use })),
      ...changed.flatMap((use): Step[] => [
        ...(use in before ? [{ kind: "stopCapsule" as const, use }] : []),
        { kind: "startCapsule", use },
      ]),
    ],
    unchanged: Object.keys(after)
      .sort()
      .filter((use) => !changed.includes(use)),
    bytesToFetch: [...archives.values()].reduce((sum, size) => sum + size, 0),
    rollback: current ? "possible" : "unavailable",
  };
}

/** The capsules that a deployment uses. */
export function capsulesOf(deployment: Deployment | undefined): Set<Digest> {
  const uses = Object.values(deployment?.capsules ?? {});
  return new Set(uses.map(({ capsule }) => capsule.digest));
}

/** Whether two uses run the same thing; other checks alone restart nothing. */
function sameProgram(a: CapsuleUse | undefined, b: CapsuleUse | undefined): boolean {
  if (!a || !b) return false;
  const names = Object.keys(a.environment);
  return (
    a.capsule.digest === b.capsule.digest &&
    names.length === Object.keys(b.environment).length &&
    names.every((name) => a.environment[name] === b.environment[name])
  );
}

/** A plan in one line: `restart hello · 3.1 MB to fetch · rollback possible`. */
export function describePlan({ activate, unchanged, bytesToFetch, rollback }: Plan): string {
  const stopped = new Set(activate.filter((s) => s.kind === "stopCapsule").map((s) => s.use));
  const started = new Set(activate.filter((s) => s.kind === "startCapsule").map((s) => s.use));
  const list = (verb: string, uses: Iterable<string>): string[] => {
    const names = [...uses];
    return names.length > 0 ? [`${verb} ${names.join(", ")}`] : [];
  };
  return [
    ...list("restart", stopped.intersection(started)),
    ...list("start", started.difference(stopped)),
    ...list("stop", stopped.difference(started)),
    ...unchanged.map((use) => `${use} unchanged`),
    bytesToFetch > 0 ? `${formatSize(bytesToFetch)} to fetch` : "nothing to fetch",
    `rollback ${rollback}`,
  ].join(" · ");
}
