import { type Clock, toError } from "@roboticks/core";
import type { Rejected, Verified, Verifier } from "@roboticks/deployment";
import { assignmentSchema, type Envelope } from "@roboticks/spec/deployment";
import { checkDocument } from "@roboticks/spec/document";
import { documentDigest, type JsonValue, TrustError, verifyEnvelope } from "@roboticks/trust";
import type { AgentErrorCode } from "./errors.ts";
import type { TrustAnchor } from "./identity.ts";

/** Robots boot in 1970; no order is from before this software was. */
const earliest = Date.UTC(2026, 10, 1);

/** Options of {@link assignmentVerifier}. */
export interface AssignmentVerifierOptions {
  readonly device: string;
  /** Whom the device trusts now. */
  readonly anchor: () => TrustAnchor | undefined;
  readonly clock: Clock;
}

/**
 * Checks assignments against the root that the device pinned: who signed, for which project and
 * devices, until when. Whether it is the newest is for the deployment manager to say.
 */
export function assignmentVerifier({ device, anchor, clock }: AssignmentVerifierOptions): Verifier {
  return {
    async verify(envelope: Envelope): Promise<Verified | Rejected> {
      const trusted = anchor();
      if (!trusted) {
        return reject("ERR_AGENT_NO_ROOT", "this device trusts nobody yet; it has to enroll first");
      }
      let order: ReturnType<typeof assignmentOf>;
      try {
        order = assignmentOf(envelope);
      } catch (error) {
        return reject("ERR_AGENT_ORDER_MALFORMED", toError(error).message);
      }
      const { assignment, claims } = order;
      try {
        verifyEnvelope(envelope, trusted.root, "assignment");
      } catch (error) {
        if (error instanceof TrustError) return reject(error.code, error.message, claims);
        throw error;
      }
      if (assignment.project !== trusted.project || !assignment.devices.includes(device)) {
        const message = `the order is for ${assignment.devices.slice(0, 5).join(", ")} of project ${assignment.project}; this is ${device} of ${trusted.project}`;
        return reject("ERR_AGENT_ORDER_MISDIRECTED", message, claims);
      }
      if (Date.parse(assignment.expires) <= Math.max(clock.now(), earliest)) {
        const message = `the order expired at ${assignment.expires}; sign it again`;
        return reject("ERR_AGENT_ORDER_EXPIRED", message, claims);
      }
      return { kind: "verified", retry: assignment.retry, ...claims };
    },
  };
}

function assignmentOf({ signed }: Envelope) {
  const assignment = checkDocument(signed, assignmentSchema, { file: "assignment" });
  // The identity is of the bytes that were signed, not of what reading them filled in.
  const digest = documentDigest(signed.deployment as JsonValue);
  const { version, deployment } = assignment;
  return { assignment, claims: { assignment: version, digest, deployment } };
}

function reject(
  code: AgentErrorCode | TrustError["code"],
  message: string,
  claims?: Rejected["claims"],
): Rejected {
  return { kind: "rejected", code, message, ...(claims ? { claims } : {}) };
}
