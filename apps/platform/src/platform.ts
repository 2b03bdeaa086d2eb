import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer } from "@hono/node-server";
import { type Clock, type Logger, silentLogger, systemClock } from "@roboticks/core";
import { envelopeSchema } from "@roboticks/spec/deployment";
import { verifyRoot } from "@roboticks/trust";
import { createApp } from "./app.ts";
import type { BlobStore } from "./blobs.ts";
import { PlatformError } from "./errors.ts";
import { Nonces } from "./secrets.ts";
import type { PlatformState } from "./state.ts";
import { Wakeups } from "./wakeups.ts";

/** Options of {@link createPlatform}. What is passed in stays the caller's to dispose. */
export interface PlatformOptions {
  readonly state: PlatformState;
  readonly blobs: BlobStore;
  /** The root of trust, as an envelope; assignments are checked with its keys. */
  readonly root: unknown;
  /** sha256 of each operator's token, hex. */
  readonly operatorTokenHashes: readonly string[];
  /** sha256 of each key that a DSN may have, hex. */
  readonly dsnKeyHashes: readonly string[];
  /** The one project. Default `default`. */
  readonly project?: string;
  /** Default `127.0.0.1`. It speaks plain HTTP: what is not loopback goes through a TLS proxy. */
  readonly host?: string;
  /** Default 0: any that is free. */
  readonly port?: number;
  /** How long a device's token is good, in ms, 1 s to 24 h. Default 24 h. */
  readonly deviceTokenLifeMs?: number;
  /** The longest archive, in bytes. Default 4 GiB. */
  readonly maxArchiveBytes?: number;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** A platform that listens. Disposing ends it within a second, held requests included. */
export interface Platform extends AsyncDisposable {
  /** Its origin, e.g. `http://127.0.0.1:41873`. */
  readonly url: string;
}

const dayMs = 86_400_000;

/** How long requests may go on once the platform ends, in ms. */
const endGraceMs = 500;

/**
 * Starts a platform; it listens when the promise resolves.
 *
 * @throws {PlatformError} `ERR_PLATFORM_SETTINGS`, `ERR_PLATFORM_LISTEN`
 * @throws {TrustError} when `root` is no root of trust
 */
export async function createPlatform({
  state,
  blobs,
  root,
  operatorTokenHashes,
  dsnKeyHashes,
  project = "default",
  host = "127.0.0.1",
  port = 0,
  deviceTokenLifeMs = dayMs,
  maxArchiveBytes = 4 * 2 ** 30,
  clock = systemClock,
  logger = silentLogger,
}: PlatformOptions): Promise<Platform> {
  if (deviceTokenLifeMs < 1_000 || deviceTokenLifeMs > dayMs) {
    throw new PlatformError(
      "ERR_PLATFORM_SETTINGS",
      `deviceTokenLifeMs is ${deviceTokenLifeMs}; it is 1,000 to ${dayMs}`,
    );
  }
  const wakeups = new Wakeups(clock);
  const trusted = verifyRoot(root);
  const rootEnvelope = envelopeSchema.parse(root);
  const app = createApp({
    project,
    state,
    blobs,
    rootEnvelope,
    root: trusted,
    operatorTokenHashes,
    dsnKeyHashes,
    deviceTokenLifeMs,
    maxArchiveBytes,
    nonces: new Nonces(clock),
    wakeups,
    clock,
    logger,
  });
  const server = createAdaptorServer({
    fetch: app.fetch,
    hostname: host,
    overrideGlobalObjects: false, // an embedder's globals are not ours
    serverOptions: {
      headersTimeout: 15_000,
      requestTimeout: 3_600_000, // archives come over slow links; who stalls is dropped below
      keepAliveTimeout: 75_000,
    },
  }) as Server;
  server.timeout = 90_000; // of silence: longer than the longest held request
  await listen(server, host, port);
  const url = urlOf(server, host);
  logger.info({ url, project }, "listening");

  let ended: Promise<void> | undefined;
  return {
    url,
    [Symbol.asyncDispose]: () => {
      ended ??= end(server, wakeups, clock);
      return ended;
    },
  };
}

function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (cause) =>
      reject(
        new PlatformError(
          "ERR_PLATFORM_LISTEN",
          `cannot listen at ${host}:${port} (${cause.message}); choose another address`,
          { cause },
        ),
      ),
    );
    server.listen(port, host, resolve);
  });
}

function urlOf(server: Server, host: string): string {
  const { port, family } = server.address() as AddressInfo;
  const everywhere: Readonly<Record<string, string>> = { "0.0.0.0": "127.0.0.1", "::": "::1" };
  const name = everywhere[host] ?? host;
  return `http://${family === "IPv6" && name.includes(":") ? `[${name}]` : name}:${port}`;
}

async function end(server: Server, wakeups: Wakeups, clock: Clock): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  wakeups.close();
  server.closeIdleConnections();
  const over = new AbortController();
  const late = clock.sleep(endGraceMs, { signal: over.signal }).then(
    () => server.closeAllConnections(),
    () => {}, // all had ended by themselves
  );
  await closed;
  over.abort();
  await late;
}
