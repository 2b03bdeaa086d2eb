import { retry } from "@roboticks/core";
import { causeOf } from "./cause.ts";
import type { Context } from "./context.ts";
import { converge, undoStep } from "./executors.ts";
import type { Attempt } from "./state.ts";

/**
 * Takes back what was activated, in reverse, with nothing from the network. It is tried until it
 * works, but never in the way of a newer deployment: that may be the fix.
 */
export async function undo(context: Context, attempt: Attempt): Promise<void> {
  const { clock, closed, logger, state } = context;
  const reason = attempt.undo;
  let told = false;

  const takeBack = async (): Promise<void> => {
    for (const step of attempt.plan.activate.toReversed()) {
      // One that cannot be taken back keeps no other from it; what is left is seen below.
      await undoStep(step, { ...context, attempt, signal: closed, configured: () => {} }).catch(
        (error: unknown) => {
          closed.throwIfAborted();
          logger.warn({ step, error }, "a step could not be taken back");
        },
      );
    }
    await converge(context, attempt.from, { verify: true });
  };

  if (reason?.activated) {
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
        context.tell({ state: "undoing", about: attempt.to, message, cause });
      },
    }).catch((error: unknown) => {
      closed.throwIfAborted();
      logger.error({ error }, "going back is left to the newer deployment");
    });
  }
  await context.record(
    { type: "undone" },
    {
      state: reason?.superseded ? "superseded" : "reverted",
      about: attempt.to,
      ...(reason && !reason.superseded ? { cause: reason.cause } : {}),
    },
  );
}
