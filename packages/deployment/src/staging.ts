import { formatDuration, parseDuration, retry } from "@roboticks/core";
import type { Digest } from "@roboticks/core/digest";
import { causeOf, isRetryable } from "./cause.ts";
import type { Context } from "./context.ts";
import { applyStep } from "./executors.ts";
import type { Attempt } from "./state.ts";
import { superseded } from "./superseding.ts";

/**
 * Has everything on the device that `attempt.to` needs, and disturbs nothing that runs. Trouble
 * of the surroundings is waited out without end: a robot may be offline for weeks.
 */
export async function stage(context: Context, attempt: Attempt): Promise<void> {
  const { clock, interrupt, health } = context;
  const configurations: Record<string, Digest> = {};
  for (const use of attempt.plan.unchanged) {
    const version = attempt.from?.configurations[use];
    if (version) configurations[use] = version;
  }
  const deadlineMs = parseDuration(attempt.to.deployment.activation.progressDeadline) ?? 0;
  const beganAt = clock.monotonic();
  let told: string | undefined;
  let late = false;

  try {
    for (const step of attempt.plan.stage) {
      const apply = (): Promise<void> =>
        applyStep(step, {
          ...context,
          attempt,
          signal: interrupt,
          configured: (use, version) => {
            configurations[use] = version;
          },
        });
      await retry(apply, {
        clock,
        signal: interrupt,
        retryable: isRetryable,
        onRetry: ({ error, pauseMs }) => {
          const cause = causeOf(error, { target: step.use });
          context.logger.warn({ step, cause, pauseMs }, "staging has to wait");
          const lateNow = clock.monotonic() - beganAt > deadlineMs;
          // The same trouble is told once, and once more when the deadline passes.
          if (cause.code === told && late === lateNow) return;
          told = cause.code;
          late = lateNow;
          const message = late
            ? `not staged within ${formatDuration(deadlineMs)}; goes on trying`
            : "waits and tries again";
          context.tell({ state: "staging", about: attempt.to, message, cause });
        },
      });
    }
  } catch (error) {
    if (context.closed.aborted) throw error;
    if (context.state().next) return superseded(context);
    const cause = causeOf(error);
    return context.record(
      { type: "undoBegun", cause, blame: false, superseded: false },
      { state: "undoing", about: attempt.to, cause, message: "could not be staged" },
    );
  }

  if (context.state().next) return superseded(context);
  const before = Object.keys(attempt.from?.deployment.capsules ?? {});
  const tolerated = Object.fromEntries(before.map((use) => [use, [...health.failing(use)]]));
  await context.record(
    { type: "activationBegun", configurations, tolerated },
    { state: "activating", about: attempt.to },
  );
}
