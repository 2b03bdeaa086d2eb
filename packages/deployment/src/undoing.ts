import { retry } from "@roboticks/core";
import { causeOf } from "./cause.ts";
import type { Context } from "./context.ts";
import { ensure, undoStep } from "./executors.ts";
import type { Attempt } from "./state.ts";

/**
 * Takes back what was activated, in reverse, with nothing from the network. It is tried until it
 * works, but never in the way of a newer deployment: that may be the fix.
 */
export async function undo(context: Context, attempt: Attempt): Promise<void> {
  const { clock, closed, logger, state } = context;
  const takeBack = async (): Promise<void> => {
    for (const step of attempt.plan.activate.slice(0, attempt.begun).reverse()) {
      await undoStep(step, { ...context, attempt, signal: closed, configured: () => {} });
    }
    if (attempt.from) await ensure(context, attempt.from);
  };
  let told = false;
  await retry(takeBack, {
    clock,
    signal: closed,
    capMs: 30_000,
    retryable: () => state().next === undefined,
    onRetry: ({ error, pauseMs }) => {
      const cause = causeOf(error);
      logger.error({ cause, pauseMs }, "going back failed; it is tried again");
      if (told) return;
      told = true;
      const message = "going back failed; it is tried again";
      context.report({ state: "undoing", about: attempt.to, message, cause }).catch((error) => {
        logger.error({ error }, "a report could not be kept");
      });
    },
  }).catch((error: unknown) => {
    closed.throwIfAborted();
    logger.error({ error }, "going back is left to the newer deployment");
  });
  const reason = attempt.undo;
  await context.record(
    { type: "undone" },
    {
      state: reason?.superseded ? "superseded" : "reverted",
      about: attempt.to,
      ...(reason && !reason.superseded ? { cause: reason.cause } : {}),
    },
  );
}
