import { ClientError, deviceTokens, PlatformClient } from "@roboticks/client";
import { backoffMs, type Clock, type Logger, toError, untilAborted } from "@roboticks/core";
import type { DeploymentManager } from "@roboticks/deployment";
import type { Dsn } from "@roboticks/spec/dsn";
import { AgentError } from "./errors.ts";
import type { Identity } from "./identity.ts";

/** Options of {@link PlatformLink}. */
export interface PlatformLinkOptions {
  readonly device: string;
  readonly dsn: Dsn;
  readonly identity: Identity;
  /** How long the platform may hold a request open, in ms. */
  readonly waitMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The least time between two requests that bring nothing new, in ms. */
const idlePauseMs = 1_000;
/** How long an order that was seen is not asked for again, in ms. */
const lookAgainMs = 600_000;

/** How the link to the platform stands. */
export interface LinkStatus {
  readonly connected: boolean;
  /** What the last failure said; absent while connected. */
  readonly lastError?: string;
}

/**
 * The link to the platform: enrolls once, then hands on every order that comes and delivers
 * reports, until it is disposed. The network is taken to fail at any time, for weeks.
 */
export class PlatformLink implements AsyncDisposable {
  readonly #options: PlatformLinkOptions;
  readonly #client: PlatformClient;
  readonly #tokens: ReturnType<typeof deviceTokens>;
  readonly #closed = new AbortController();
  #status: LinkStatus = { connected: false };
  #work: Promise<unknown> = Promise.resolve();

  constructor(options: PlatformLinkOptions) {
    this.#options = options;
    const { dsn, device, identity, clock, logger } = options;
    const where = { endpoint: dsn.endpoint, project: dsn.project, clock, logger };
    const client = new PlatformClient(where);
    this.#tokens = deviceTokens({ client, device, sign: (text) => identity.sign(text), clock });
    this.#client = new PlatformClient({ ...where, token: this.#tokens });
  }

  get status(): LinkStatus {
    return this.#status;
  }

  /** Where the platform has the archive of a capsule. */
  url(digest: string): string {
    return this.#client.archiveUrl(digest);
  }

  /** What is shown to get one. */
  async headers(signal: AbortSignal): Promise<Record<string, string>> {
    return { authorization: `Bearer ${await this.#tokens({ signal })}` };
  }

  /**
   * Enrolls, where that has not been done, and goes on without waiting for the network.
   *
   * @throws {ClientError} | {AgentError} when the platform refuses this device for good
   */
  async enroll(): Promise<void> {
    const { identity, device, dsn } = this.#options;
    await this.#forever("enrol", async (signal) => {
      try {
        await identity.enroll(this.#client, device, dsn, signal);
        return "done";
      } catch (error) {
        if (isFinal(error)) throw new Final(error);
        throw error;
      }
    });
  }

  /** Begins to hand on orders to, and reports of, `deployments`. */
  start(deployments: DeploymentManager): void {
    this.#work = Promise.all([this.#takeOrders(deployments), this.#deliverReports(deployments)]);
  }

  async #takeOrders(deployments: DeploymentManager): Promise<void> {
    const { clock, device, waitMs } = this.#options;
    let etag: string | undefined;
    let lookedAtMs = 0;
    await this.#forever("ask for orders", async (signal) => {
      const askedAtMs = clock.monotonic();
      // An order that was refused, for a wrong clock say, is looked at again from time to time.
      if (askedAtMs - lookedAtMs > lookAgainMs) etag = undefined;
      const answer = await this.#client.getAssignment(device, { etag, waitMs, signal });
      this.#status = { connected: true };
      const isNews = answer.kind === "assignment" && answer.etag !== etag;
      if (answer.kind === "assignment") {
        await deployments.submit(answer.envelope);
        etag = answer.etag;
        lookedAtMs = clock.monotonic();
      }
      // Whoever answers at once that there is nothing new is not asked faster for it.
      const pauseMs = idlePauseMs - (clock.monotonic() - askedAtMs);
      if (!isNews && pauseMs > 0) await clock.sleep(pauseMs, { signal });
      return "again";
    });
  }

  async #deliverReports(deployments: DeploymentManager): Promise<void> {
    const { device } = this.#options;
    const { reports } = deployments;
    let queued = Promise.withResolvers<void>();
    using _listening = reports.on("queued", () => queued.resolve());
    await this.#forever("deliver reports", async (signal) => {
      const waiting = await reports.pending();
      if (waiting.length > 0) {
        const acknowledged = await this.#client.sendReports(device, waiting, { signal });
        this.#status = { connected: true };
        const kept = await reports.acknowledge(acknowledged, waiting.at(-1)?.seq ?? 0);
        if (!kept) throw new Error("the platform has later reports of this device; counting on");
        return "again";
      }
      await untilAborted(queued.promise, signal);
      queued = Promise.withResolvers();
      return "again";
    });
  }

  /** Does `work` again and again, with growing pauses while it fails. */
  async #forever(
    what: string,
    work: (signal: AbortSignal) => Promise<"again" | "done">,
  ): Promise<void> {
    const { clock, logger } = this.#options;
    const { signal } = this.#closed;
    for (let failures = 0; !signal.aborted; ) {
      try {
        const next = await work(signal);
        failures = 0;
        if (next === "done") return;
      } catch (error) {
        if (signal.aborted) return;
        const final = error instanceof Final;
        const { message } = toError(final ? error.cause : error);
        this.#status = { connected: false, lastError: message.slice(0, 4_096).toWellFormed() };
        if (final) throw error.cause;
        const pauseMs = backoffMs(++failures);
        logger.warn({ error: message, pauseMs }, `could not ${what}; it is tried again`);
        await clock.sleep(pauseMs, { signal }).catch(() => {}); // closed: the loop ends
      }
    }
  }

  /** Ends the link. What was not delivered stays in the outbox. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed.abort(
      new AgentError("ERR_AGENT_NO_PLATFORM", "the link to the platform was closed"),
    );
    await this.#work;
  }
}

/** Carries an error that trying again does not mend out of the loop. */
class Final extends Error {
  constructor(cause: unknown) {
    super("final", { cause });
  }
}

/** Whether an enrolment was refused for a reason that does not go away by waiting. */
function isFinal(error: unknown): boolean {
  if (error instanceof AgentError) return true;
  if (!(error instanceof ClientError)) return false;
  return error.code === "ERR_CLIENT_REFUSED" && !error.retryable && error.status !== 408;
}
