import { parseDuration } from "@roboticks/core";
import { causeOf, isRetryable, lastLinesOf } from "./cause.ts";
import type { Context } from "./context.ts";
import { applyStep } from "./executors.ts";
import type { Attempt } from "./state.ts";
import { superseded } from "./superseding.ts";

/**
 * Switches from `attempt.from` to `attempt.to`, each step written down before it begins. After
 * an interruption the step that was begun last is done again: every step can be.
 */
export async function activate(context: Context, attempt: Attempt): Promise<void> {
  const steps = [...attempt.plan.activate.entries()];
  for (const [index, step] of steps.slice(Math.max(0, attempt.begun - 1))) {
    if (context.state().next) return superseded(context);
    if (index >= attempt.begun) await context.record({ type: "stepBegun", index });
    try {
      await applyStep(step, { ...context, attempt, signal: context.closed, configured: () => {} });
    } catch (error) {
      context.closed.throwIfAborted();
      const cause = causeOf(error, {
        target: step.use,
        lastLines: await lastLinesOf(context.capsules, step.use),
      });
      return context.record(
        { type: "undoBegun", cause, blame: !isRetryable(error), superseded: false },
        { state: "undoing", about: attempt.to, cause },
      );
    }
  }
  const { healthyDeadline } = attempt.to.deployment.activation;
  await context.record(
    { type: "trialBegun", remainingMs: parseDuration(healthyDeadline) ?? 0 },
    { state: "trial", about: attempt.to },
  );
}
