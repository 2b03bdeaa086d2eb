import type { Assignment, Deployment, Envelope } from "@roboticks/spec/deployment";
import { formatExpiry, type KeyPair, signEnvelope } from "@roboticks/trust";

/** What an order says beside the deployment. */
export interface OrderOptions {
  readonly project: string;
  readonly devices: readonly string[];
  /** Greater than that of every order these devices were given. */
  readonly version: number;
  /** Until when a device may take it, ms since 1970. */
  readonly expiresAt: number;
  /** Whether a device tries it again after it failed there. */
  readonly retry: boolean;
}

/** Signs that `devices` get exactly `deployment`. */
export function signOrder(deployment: Deployment, options: OrderOptions, key: KeyPair): Envelope {
  const { project, devices, version, expiresAt, retry } = options;
  const assignment: Assignment = {
    _type: "assignment",
    project,
    devices: [...devices],
    version,
    expires: formatExpiry(expiresAt),
    retry,
    deployment,
  };
  // As it goes over the wire: keys that are not set are not there.
  const signed: Envelope["signed"] = JSON.parse(JSON.stringify(assignment));
  const { signatures } = signEnvelope(signed, [key]);
  return { signed, signatures: [...signatures] };
}
