import type { Digest } from "@roboticks/core/digest";
import type { CapsuleUse, Deployment, Envelope, HealthCheck } from "@roboticks/spec/deployment";

/** Environment variables by name. */
export type Variables = Readonly<Record<string, string>>;

/** An order that holds: this device gets exactly this deployment. */
export interface Verified {
  readonly kind: "verified";
  /** Version of the assignment; only ever grows. */
  readonly assignment: number;
  /** Identity of the deployment: the digest of its canonical JSON. */
  readonly digest: Digest;
  readonly deployment: Deployment;
  /** Whether the operator asks to try a deployment again that failed here before. */
  readonly retry: boolean;
}

/** An order that does not hold, and why. What it claims about itself is for messages only. */
export interface Rejected {
  readonly kind: "rejected";
  readonly code: string;
  readonly message: string;
  readonly claims?: Pick<Verified, "assignment" | "digest" | "deployment">;
}

/** Says whether an order is signed by whom this device trusts, is meant for it, and still valid. */
export interface Verifier {
  verify(envelope: Envelope): Promise<Verified | Rejected>;
}

/**
 * Native programs. Every call may be repeated with the same effect. An error with
 * `retryable: true` is trouble of the surroundings (a lost link, a full disk): it is tried again
 * and never held against the deployment.
 */
export interface Capsules {
  /** Has the capsule whole and verified on the device. Needs no network when it is there. */
  install(capsule: CapsuleUse["capsule"], options: { readonly signal: AbortSignal }): Promise<void>;
  /** Which capsules are on the device. */
  present(): Promise<ReadonlySet<Digest>>;
  /** Whether every file of the capsule is as it was signed. */
  intact(digest: Digest): Promise<boolean>;
  /** Starts the processes of a use; a use that runs under the same `tag` is left alone. */
  start(
    use: string,
    program: { readonly digest: Digest; readonly variables: Variables; readonly tag: string },
  ): Promise<void>;
  /** Stops them, whole trees; nothing runs under this name once it resolves. */
  stop(use: string): Promise<void>;
  /** Every use that runs now, and its tag; also one that no deployment knows any more. */
  running(): ReadonlyMap<string, string>;
  /** The last lines that the use printed, oldest first. */
  lastLines(use: string): Promise<readonly string[]>;
  /** Forgets a capsule. */
  remove(digest: Digest): Promise<void>;
}

/** Configuration, in versions that never change once they are staged. */
export interface Configurations {
  /** Layers, checks and keeps what a use gets; returns the version. Repeating gives the same. */
  stage(
    use: string,
    what: { readonly capsule: Digest; readonly environment: Variables },
  ): Promise<Digest>;
  read(use: string, version: Digest): Promise<Variables>;
  /** Forgets every version of these uses but those that are listed. */
  collect(kept: Readonly<Record<string, readonly Digest[]>>): Promise<void>;
}

/** How a use settled: see the trial in the README. */
export type Settled =
  | { readonly kind: "healthy" }
  | {
      readonly kind: "unhealthy" | "deadline" | "unknown";
      readonly check?: string;
      readonly reason: string;
    };

/** Health of uses. */
export interface Health {
  /** Throws where `watch` would: before anything is stopped for a use that cannot be watched. */
  validate(what: { readonly checks: readonly HealthCheck[]; readonly variables: Variables }): void;
  /** Watches a use from now on. The same `tag` again: goes on, with these checks. */
  watch(
    use: string,
    what: {
      readonly checks: readonly HealthCheck[];
      readonly variables: Variables;
      readonly tag: string;
    },
  ): Promise<void>;
  unwatch(use: string): Promise<void>;
  /** Names of the checks that fail now. */
  failing(use: string): readonly string[];
  /** Waits for a verdict on a use. `ignore` names checks that are no evidence. */
  settle(
    use: string,
    options: {
      readonly healthyForMs: number;
      readonly withinMs: number;
      readonly ignore: readonly string[];
      readonly signal: AbortSignal;
    },
  ): Promise<Settled>;
  /** Resolves when a use has been unhealthy for `lastingMs` (0: is) without a break. */
  failed(
    use: string,
    options: {
      readonly lastingMs: number;
      readonly ignore: readonly string[];
      readonly signal: AbortSignal;
    },
  ): Promise<{ readonly check?: string; readonly reason: string }>;
}
