import { parseDuration } from "@roboticks/core";
import { causeOf, isRetryable, lastLinesOf } from "./cause.ts";
import type { Context } from "./context.ts";
import { applyStep } from "./executors.ts";
import type { Attempt } from "./state.ts";
import { superseded } from "./superseding.ts";

/**
 * Switches from `attempt.from` to `attempt.to`. The plan is in the journal, and that it is being
 * carried out; after an interruption it is carried out again from its start, which every step
 * allows. So nothing has to be written between a stop and the start that follows it, and a disk
 * that is full at that moment leaves nothing switched off.
 */
export async function activate(context: Context, attempt: Attempt): Promise<void> {
  for (const step of attempt.plan.activate) {
    if (context.state().next) return superseded(context);
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
