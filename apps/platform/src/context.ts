import type { HttpBindings } from "@hono/node-server";
import type { Clock, Logger } from "@roboticks/core";
import type { Envelope } from "@roboticks/spec/deployment";
import type { Root } from "@roboticks/trust";
import type { BlobStore } from "./blobs.ts";
import type { Nonces } from "./secrets.ts";
import type { PlatformState } from "./state.ts";
import type { Wakeups } from "./wakeups.ts";

/** What the routes work with. */
export interface Context {
  readonly project: string;
  readonly state: PlatformState;
  readonly blobs: BlobStore;
  readonly rootEnvelope: Envelope;
  readonly root: Root;
  readonly operatorTokenHashes: readonly string[];
  readonly dsnKeyHashes: readonly string[];
  readonly deviceTokenLifeMs: number;
  readonly maxArchiveBytes: number;
  readonly nonces: Nonces;
  readonly wakeups: Wakeups;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What Hono knows of our requests: Node's own are beneath. */
export interface Env {
  readonly Bindings: HttpBindings;
}
