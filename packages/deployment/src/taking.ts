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

/** Decides what a verified order means, given what is known. Pure. */
export function take(state: State, { assignment, digest, deployment, retry }: Verified): Taken {
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
  const known = state.bad.find((bad) => bad.digest === digest);
  if (known && !retry) {
    const code = "ERR_DEPLOYMENT_KNOWN_BAD";
    const message = `it failed on this device before (${known.cause.message}); to try it again, ask for a retry`;
    return {
      event: { type: "refused", id: idOf(assignment), assignment, code, message },
      said: { state: "refused", about: next, message, cause: { code, message, lastLines: [] } },
    };
  }
  if (!state.attempt && !state.next && state.running?.digest === digest) {
    return {
      event: { type: "renewed", assignment, unchanged: true },
      said: { state: "committed", about: next, message: "runs already" },
    };
  }
  // The same again while it is under way, or waits to be.
  const underWay = state.next !== undefined || state.attempt?.phase !== "undoing";
  if (current?.digest === digest && underWay) {
    return { event: { type: "renewed", assignment, unchanged: false } };
  }
  return {
    event: { type: "accepted", next, retry },
    said: { state: "accepted", about: next },
  };
}

function refuse(message: string): Taken {
  return { refused: { kind: "rejected", code: "ERR_DEPLOYMENT_ASSIGNMENT_OLD", message } };
}
