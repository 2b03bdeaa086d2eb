import { parseDuration } from "@roboticks/core";
import type { Cause } from "@roboticks/spec/report";
import { causeOf, isRetryable, lastLinesOf } from "./cause.ts";
import type { Context } from "./context.ts";
import type { DeploymentErrorCode } from "./errors.ts";
import { ensure } from "./executors.ts";
import type { Settled } from "./ports.ts";
import type { Attempt } from "./state.ts";
import { superseded } from "./superseding.ts";

type Bad = Exclude<Settled, { kind: "healthy" }> & { readonly use: string };

const codes: Record<Bad["kind"], DeploymentErrorCode> = {
  unhealthy: "ERR_DEPLOYMENT_UNHEALTHY",
  deadline: "ERR_DEPLOYMENT_DEADLINE",
  unknown: "ERR_DEPLOYMENT_HEALTH_UNKNOWN",
};

/**
 * Judges what was activated: every use healthy for `minHealthyTime` within what is left of
 * `healthyDeadline` → probation; one that is unhealthy, or not healthy in time → undo.
 */
export async function judge(context: Context, attempt: Attempt): Promise<void> {
  const { health, state } = context;
  const { activation, capsules } = attempt.to.deployment;
  try {
    await ensure(context, attempt.to);
  } catch (error) {
    context.closed.throwIfAborted();
    const cause = causeOf(error);
    return fail(context, attempt, cause, !isRetryable(error));
  }
  const bad = await spending(context, attempt, (signal) =>
    firstBad(
      Object.keys(capsules).map(async (use) => ({
        use,
        ...(await health.settle(use, {
          healthyForMs: parseDuration(activation.minHealthyTime) ?? 0,
          withinMs: attempt.remainingMs,
          ignore: attempt.tolerated[use] ?? [],
          signal,
        })),
      })),
    ),
  );
  if (bad === "interrupted") {
    if (state().next) await superseded(context);
    return;
  }
  if (bad) return fail(context, attempt, await causeOfBad(context, bad), bad.kind !== "unknown");
  await context.record(
    { type: "trialPassed", remainingMs: parseDuration(activation.probation) ?? 0 },
    { state: "probation", about: attempt.to, message: "healthy" },
  );
}

/**
 * Goes on watching what passed its trial: lasting failure still goes back, if there is something
 * to go back to. A newer deployment ends probation, for the trial was passed.
 */
export async function probate(context: Context, attempt: Attempt): Promise<void> {
  const { clock, health, lastingMs, state } = context;
  await ensure(context, attempt.to).catch((error: unknown) => {
    context.closed.throwIfAborted();
    context.logger.error({ error }, "a use on probation could not be started");
  });
  const uses = attempt.from ? Object.keys(attempt.to.deployment.capsules) : [];
  const bad = state().next
    ? undefined
    : await spending(context, attempt, (signal) =>
        Promise.race([
          clock.sleep(attempt.remainingMs, { signal }).then(() => undefined),
          ...uses.map(async (use): Promise<Bad> => {
            const ignore = attempt.tolerated[use] ?? [];
            const failure = await health.failed(use, { lastingMs, ignore, signal });
            return { kind: "unhealthy", use, ...failure };
          }),
        ]),
      );
  if (bad === "interrupted" && !state().next) return;
  if (bad && bad !== "interrupted") {
    return fail(context, attempt, await causeOfBad(context, bad), true);
  }
  await context.record({ type: "committed" }, { state: "committed", about: attempt.to });
}

/**
 * Runs `work` while writing down, every tick and when the agent ends in order, how much of the
 * attempt's time is left. Its signal is aborted when it is interrupted and once it is done.
 */
async function spending<Result>(
  context: Context,
  attempt: Attempt,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result | "interrupted"> {
  const { clock, interrupt, tickMs } = context;
  const done = new AbortController();
  const signal = AbortSignal.any([interrupt, done.signal]);
  const beganAt = clock.monotonic();
  const left = (): number => Math.max(0, attempt.remainingMs - (clock.monotonic() - beganAt));
  const ticking = (async () => {
    for (;;) {
      await clock.sleep(tickMs, { signal });
      await context.record({ type: "timeSpent", remainingMs: left() });
    }
  })().catch((error: unknown) => {
    if (!signal.aborted) context.logger.error({ error }, "spent time could not be written down");
  });
  try {
    return await work(signal);
  } catch (error) {
    if (!interrupt.aborted) throw error;
    if (context.closed.aborted) await context.record({ type: "suspended", remainingMs: left() });
    return "interrupted";
  } finally {
    done.abort();
    await ticking;
  }
}

/** The first that is not healthy, or nothing once all are. */
function firstBad(
  verdicts: readonly Promise<Settled & { use: string }>[],
): Promise<Bad | undefined> {
  return new Promise((resolve, reject) => {
    for (const verdict of verdicts) {
      verdict.then((settled) => {
        if (settled.kind !== "healthy") resolve(settled);
      }, reject);
    }
    Promise.all(verdicts).then(() => resolve(undefined), reject);
  });
}

async function causeOfBad({ capsules }: Context, bad: Bad): Promise<Cause> {
  return {
    code: codes[bad.kind],
    message: `${bad.use}${bad.check ? ` check ${bad.check}` : ""}: ${bad.reason}`.slice(0, 4_096),
    target: bad.use,
    ...(bad.check ? { check: bad.check } : {}),
    lastLines: await lastLinesOf(capsules, bad.use),
  };
}

function fail(context: Context, attempt: Attempt, cause: Cause, blame: boolean): Promise<void> {
  return context.record(
    { type: "undoBegun", cause, blame, superseded: false },
    { state: "undoing", about: attempt.to, cause },
  );
}
