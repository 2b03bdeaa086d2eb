import { backoffMs, parseDuration } from "@roboticks/core";
import type { Cause } from "@roboticks/spec/report";
import { causeOf, isRetryable, lastLinesOf } from "./cause.ts";
import type { Context } from "./context.ts";
import type { DeploymentErrorCode } from "./errors.ts";
import { ConvergeError, converge } from "./executors.ts";
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
 * `healthyDeadline`, and none unhealthy meanwhile → probation; else undo.
 */
export async function judge(context: Context, attempt: Attempt): Promise<void> {
  const { health, state } = context;
  const { activation, capsules } = attempt.to.deployment;
  try {
    await converge(context, attempt.to);
  } catch (error) {
    context.closed.throwIfAborted();
    return fail(context, attempt, await causeOfNotRunning(context, error), !isRetryable(error));
  }
  const uses = Object.keys(capsules);
  const settle = (withinMs: number, signal: AbortSignal): Promise<Bad | undefined> =>
    firstBad(
      uses.map(async (use) => ({
        use,
        ...(await health.settle(use, {
          healthyForMs: parseDuration(activation.minHealthyTime) ?? 0,
          withinMs,
          ignore: attempt.tolerated[use] ?? [],
          signal,
        })),
      })),
    );
  const bad = await spending(context, attempt, (signal, leftMs) =>
    Promise.race([
      (async () => {
        let settled = await settle(leftMs(), signal);
        // Time in which nobody looked, because the agent stood still, is not spent.
        while (settled?.kind === "deadline" && leftMs() > 0) {
          settled = await settle(leftMs(), signal);
        }
        return settled;
      })(),
      // One that was healthy for long enough may fail while another still settles.
      ...uses.map((use) => firstFailure(context, attempt, use, 0, signal)),
    ]),
  );
  if (bad === "interrupted") {
    if (state().next) await superseded(context);
    return;
  }
  if (bad) {
    // Part of the time may have gone by while the agent was away.
    const ranOutOfTime = bad.kind === "deadline" && attempt.resumed;
    const blame = bad.kind !== "unknown" && !ranOutOfTime;
    return fail(context, attempt, await causeOfBad(context, bad), blame);
  }
  await context.record(
    { type: "trialPassed", remainingMs: parseDuration(activation.probation) ?? 0 },
    { state: "probation", about: attempt.to, message: "healthy" },
  );
}

/**
 * Goes on watching what passed its trial: lasting failure still goes back, if there is something
 * to go back to. A newer deployment ends probation: what is healthy then has passed it, what is
 * not is taken back first, so that there is something good to go back to from the newer one.
 */
export async function probate(context: Context, attempt: Attempt): Promise<void> {
  const { clock, health, lastingMs, state } = context;
  const failure = await keepTrying(context, attempt);
  if (failure) return fail(context, attempt, failure.cause, failure.blame);

  const uses = attempt.from ? Object.keys(attempt.to.deployment.capsules) : [];
  const bad = state().next
    ? undefined
    : await spending(context, attempt, (signal) =>
        Promise.race([
          clock.sleep(attempt.remainingMs, { signal }).then(() => undefined),
          ...uses.map((use) => firstFailure(context, attempt, use, lastingMs, signal)),
        ]),
      );
  if (bad && bad !== "interrupted") {
    return fail(context, attempt, await causeOfBad(context, bad), true);
  }
  if (bad === "interrupted" && !state().next) return;
  const fails = (use: string): boolean =>
    health.failing(use).some((check) => !attempt.tolerated[use]?.includes(check));
  if (state().next && uses.some(fails)) return superseded(context);
  await context.record({ type: "committed" }, { state: "committed", about: attempt.to });
}

/**
 * Has what is on probation running, also after a boot. What cannot be started for `lastingMs` has
 * failed, if there is something to go back to; else it is tried on.
 *
 * @returns why it has to go back; nothing when it runs, or a newer deployment waits
 */
async function keepTrying(
  context: Context,
  attempt: Attempt,
): Promise<{ readonly cause: Cause; readonly blame: boolean } | undefined> {
  const { clock, closed, interrupt, lastingMs, logger, state } = context;
  const beganAt = clock.monotonic();
  for (let failures = 1; ; failures++) {
    try {
      await converge(context, attempt.to);
      return undefined;
    } catch (error) {
      closed.throwIfAborted();
      logger.error({ error }, "what is on probation does not run");
      if (attempt.from && clock.monotonic() - beganAt >= lastingMs) {
        const cause = await causeOfNotRunning(context, error);
        return { cause, blame: !isRetryable(error) };
      }
      if (state().next) return { cause: causeOf(error), blame: false };
      const pauseMs = backoffMs(failures, { initialMs: 500, capMs: 5_000 });
      await clock.sleep(pauseMs, { signal: interrupt }).catch(() => {}); // woken: look again
      closed.throwIfAborted();
    }
  }
}

/** How often it is noticed that the agent stands still, and by how much a wake-up may be late. */
const beatMs = 5_000;
const latenessMs = 2_000;

/**
 * Runs `work` while writing down, every tick and when it is interrupted, how much of the
 * attempt's time is left. Its signal is aborted when it is interrupted and once it is done.
 * `leftMs` is what is left now; time in which the agent stood still (stopped, or its machine
 * paused) is not spent.
 */
async function spending<Result>(
  context: Context,
  attempt: Attempt,
  work: (signal: AbortSignal, leftMs: () => number) => Promise<Result>,
): Promise<Result | "interrupted"> {
  const { clock, interrupt, logger, tickMs } = context;
  const done = new AbortController();
  const signal = AbortSignal.any([interrupt, done.signal]);
  const beganAt = clock.monotonic();
  let beatAt = beganAt;
  let lostMs = 0;
  const beat = (): void => {
    const late = clock.monotonic() - beatAt - beatMs;
    if (late > latenessMs) lostMs += late;
    beatAt = clock.monotonic();
  };
  const leftMs = (): number => {
    beat();
    return Math.max(0, attempt.remainingMs - (clock.monotonic() - beganAt - lostMs));
  };
  const writeDown = async (): Promise<void> => {
    const remainingMs = leftMs();
    await context.record({ type: "timeSpent", remainingMs }).catch((error: unknown) => {
      logger.error({ error }, "spent time could not be written down"); // it is spent again then
    });
  };
  const ticking = (async () => {
    for (let writtenAt = beganAt; ; ) {
      await clock.sleep(beatMs, { signal });
      leftMs(); // notices that it stood still
      if (clock.monotonic() - writtenAt < tickMs) continue;
      writtenAt = clock.monotonic();
      await writeDown();
    }
  })().catch(() => {}); // only the sleep throws, at the end
  try {
    return await work(signal, leftMs);
  } catch (error) {
    if (!interrupt.aborted) throw error;
    await writeDown();
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

/** The failure of a use, once it has lasted; never, while there is none. */
async function firstFailure(
  { health }: Context,
  attempt: Attempt,
  use: string,
  lastingMs: number,
  signal: AbortSignal,
): Promise<Bad> {
  const ignore = attempt.tolerated[use] ?? [];
  return { kind: "unhealthy", use, ...(await health.failed(use, { lastingMs, ignore, signal })) };
}

async function causeOfBad({ capsules }: Context, bad: Bad): Promise<Cause> {
  return {
    code: codes[bad.kind],
    message: `${bad.use}${bad.check ? ` check ${bad.check}` : ""}: ${bad.reason}`,
    target: bad.use,
    ...(bad.check ? { check: bad.check } : {}),
    lastLines: await lastLinesOf(capsules, bad.use),
  };
}

async function causeOfNotRunning({ capsules }: Context, error: unknown): Promise<Cause> {
  if (!(error instanceof ConvergeError)) return causeOf(error);
  const { use } = error;
  return causeOf(error, { target: use, lastLines: await lastLinesOf(capsules, use) });
}

function fail(context: Context, attempt: Attempt, cause: Cause, blame: boolean): Promise<void> {
  return context.record(
    { type: "undoBegun", cause, blame, superseded: false },
    { state: "undoing", about: attempt.to, cause },
  );
}
