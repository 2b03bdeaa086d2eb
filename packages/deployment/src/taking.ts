import type { Digest } from "@roboticks/core/digest";
import type { Said } from "./context.ts";
import type { DeploymentErrorCode } from "./errors.ts";
import type { Verified } from "./ports.ts";
import { type Event, type Installed, idOf, type State } from "./state.ts";

/** What an order comes to: an event and what is said of it, or a refusal; neither: seen before. */
export interface Taken {
  readonly event?: Event;
  readonly said?: Said;
  readonly refused?: {
    readonly kind: "rejected";
    readonly code: DeploymentErrorCode;
    readonly message: string;
  };
}

/**
 * Decides what a verified order means, given what is known. Pure.
 *
 * @param runsWhole whether everything of `state.running` really runs
 */
export function take(
  state: State,
  { assignment, digest, deployment, retry }: Verified,
  runsWhole: boolean,
): Taken {
  const next: Installed = { assignment, digest, deployment, configurations: {} };
  const current = state.next ?? state.attempt?.to ?? state.running;

  if (assignment < state.assignment) {
    return refuse(
      `assignment ${assignment} is older than ${state.assignment}, which this device has taken; sign a newer one`,
    );
  }
  if (assignment === state.assignment) {
    const ended = state.outcomes.some(({ id }) => id === idOf(assignment));
    if (ended || current?.digest === digest) return {};
    return refuse(
      `assignment ${assignment} was taken before, for another deployment; sign a newer one`,
    );
  }
  const isIdle = !state.attempt && !state.next;
  if (isIdle && runsWhole && state.running?.digest === digest) {
    return {
      event: { type: "renewed", assignment, unchanged: true },
      said: { state: "committed", about: next, message: "runs already" },
    };
  }
  const known = knownBad(state, digest);
  if (known !== undefined && !retry) {
    const code = "ERR_DEPLOYMENT_KNOWN_BAD";
    const message = `it failed on this device before (${known}); to try it again, ask for a retry`;
    return {
      event: { type: "refused", id: idOf(assignment), assignment, code, message },
      said: { state: "refused", about: next, message, cause: { code, message, lastLines: [] } },
    };
  }
  // The same again while it is under way, or waits to be.
  const underWay = state.next !== undefined || state.attempt?.phase !== "undoing";
  if (!isIdle && current?.digest === digest && underWay) {
    return {
      event: { type: "renewed", assignment, unchanged: false },
      said: { state: "accepted", about: next, message: "is under way already" },
    };
  }
  return {
    event: { type: "accepted", next, retry },
    said: { state: "accepted", about: next },
  };
}

/** Why a deployment is known to be bad, also while that is still being undone. */
function knownBad({ bad, attempt }: State, digest: Digest): string | undefined {
  if (attempt?.undo?.blame && attempt.to.digest === digest) return attempt.undo.cause.message;
  return bad.find((entry) => entry.digest === digest)?.reason;
}

function refuse(message: string): Taken {
  return { refused: { kind: "rejected", code: "ERR_DEPLOYMENT_ASSIGNMENT_OLD", message } };
}
