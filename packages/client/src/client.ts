import { type Clock, type Logger, silentLogger, systemClock } from "@roboticks/core";
import {
  type CapsuleRecord,
  capsuleListSchema,
  challengeResponseSchema,
  type DeviceRecord,
  deviceListSchema,
  deviceRecordSchema,
  type EnrollRequest,
  type EnrollResponse,
  enrollResponseSchema,
  projectPath,
  reportListSchema,
  reportsResponseSchema,
  type TokenRequest,
  type TokenResponse,
  tokenResponseSchema,
} from "@roboticks/spec/api";
import { type Envelope, envelopeSchema } from "@roboticks/spec/deployment";
import type { Report } from "@roboticks/spec/report";
import { type Answer, malformed, parseAnswer } from "./answer.ts";
import { type ArchiveSource, archiveBody } from "./archive-body.ts";
import { reportBatches } from "./report-batches.ts";
import { type CallOptions, type RetryPolicy, type TokenSource, Transport } from "./transport.ts";

/** Options of {@link PlatformClient}. */
export interface PlatformClientOptions {
  /** Origin of the platform: `https://fleet.example.com`. */
  readonly endpoint: string;
  readonly project: string;
  /** An operator's token, or `deviceTokens(…)`. Default: none, enough to enroll and to get one. */
  readonly token?: TokenSource;
  /** Default: none, every failure is the caller's to repeat. */
  readonly retry?: RetryPolicy;
  /** From the request to the end of the answer, in ms; waiting asked for comes on top. Default 30 s. */
  readonly timeoutMs?: number;
  /** For the upload of an archive, in ms. Default 1 h. */
  readonly uploadTimeoutMs?: number;
  /** Longer answers are refused. Default 32 MiB. */
  readonly maxAnswerBytes?: number;
  readonly fetch?: typeof globalThis.fetch;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

/** What a device is wanted to run. */
export type AssignmentAnswer =
  | { readonly kind: "assignment"; readonly etag: string; readonly envelope: Envelope }
  | { readonly kind: "unchanged" }
  | { readonly kind: "none" };

/** The longest that the platform holds a request open, in ms. */
const longestWaitMs = 60_000;

/** The least time between two empty answers of a watch, in ms. */
const idlePauseMs = 1_000;

/**
 * The platform's API for one project, as a device or as an operator.
 *
 * Every method throws {@link ClientError}, or `signal.reason` once its signal is aborted.
 */
export class PlatformClient {
  readonly endpoint: string;
  readonly project: string;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #uploadTimeoutMs: number;

  constructor({
    endpoint,
    project,
    token,
    retry = {},
    timeoutMs = 30_000,
    uploadTimeoutMs = 3_600_000,
    maxAnswerBytes = 32 * 2 ** 20,
    fetch = globalThis.fetch,
    clock = systemClock,
    logger = silentLogger,
  }: PlatformClientOptions) {
    this.endpoint = endpoint.replace(/\/+$/, "");
    this.project = project;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    this.#uploadTimeoutMs = uploadTimeoutMs;
    this.#transport = new Transport({
      endpoint: this.endpoint,
      token,
      // A browser's fetch wants to be called without a receiver.
      fetch: (input, init) => fetch(input, init),
      clock,
      logger,
      retry,
      timeoutMs,
      maxAnswerBytes,
    });
  }

  /** Makes the device known; `key` is that of the DSN. The same key pair again changes nothing. */
  async enroll(
    request: EnrollRequest,
    { key, signal }: CallOptions & { readonly key: string },
  ): Promise<EnrollResponse> {
    const call = { ...this.#post("/devices", request), token: key, signal };
    return parseAnswer(await this.#transport.send(call), enrollResponseSchema, "enrolment");
  }

  /** A nonce for {@link PlatformClient.token}; good once and for a minute. */
  async challenge(device: string, { signal }: CallOptions = {}): Promise<string> {
    const call = { ...this.#post(`${devicePath(device)}/challenge`), anonymous: true, signal };
    const answer = await this.#transport.send(call);
    return parseAnswer(answer, challengeResponseSchema, "the challenge").nonce;
  }

  /** A token for the device that signed the nonce. Never repeated: a nonce works once. */
  async token(
    device: string,
    request: TokenRequest,
    { signal }: CallOptions = {},
  ): Promise<TokenResponse> {
    const path = `${devicePath(device)}/token`;
    const call = { ...this.#post(path, request), anonymous: true, repeatable: false, signal };
    return parseAnswer(await this.#transport.send(call), tokenResponseSchema, "the token");
  }

  /**
   * What `device` is wanted to run. With `etag` the answer is `unchanged` while that is still the
   * one; `waitMs` (at most 60,000; default 0) lets the platform wait for another one first.
   */
  async getAssignment(
    device: string,
    { etag, waitMs = 0, signal }: CallOptions & { etag?: string | undefined; waitMs?: number } = {},
  ): Promise<AssignmentAnswer> {
    const answer = await this.#get(`${devicePath(device)}/assignment`, {
      waitMs,
      signal,
      headers: etag === undefined ? {} : { "if-none-match": etag },
    });
    if (answer.status === 204) return { kind: "none" };
    if (answer.status === 304) return { kind: "unchanged" };
    const envelope = parseAnswer(answer, envelopeSchema, "the assignment");
    const tag = answer.header("etag");
    if (tag === null) throw malformed(answer, "the assignment", "there is no ETag");
    return { kind: "assignment", etag: tag, envelope };
  }

  /**
   * Delivers reports, oldest first, in requests of bounded size.
   *
   * @returns the seq up to which all are kept; a later failure leaves earlier ones delivered
   */
  async sendReports(
    device: string,
    reports: readonly Report[],
    { signal }: CallOptions = {},
  ): Promise<number> {
    let acknowledged = 0;
    for (const batch of reportBatches(reports)) {
      const call = { ...this.#post(`${devicePath(device)}/reports`, { reports: batch }), signal };
      const answer = await this.#transport.send(call);
      acknowledged = parseAnswer(answer, reportsResponseSchema, "the reports").acknowledged;
    }
    return acknowledged;
  }

  /** Uploads the manifest of a capsule: exactly the bytes that `digest` is of. */
  async putManifest(
    digest: string,
    manifest: Uint8Array<ArrayBuffer>,
    { signal }: CallOptions = {},
  ): Promise<void> {
    await this.#transport.send({
      method: "PUT",
      path: this.#path(`/capsules/${digest}`),
      headers: { "content-type": "application/json" },
      body: () => manifest,
      signal,
    });
  }

  /** Uploads the archive of the capsule whose manifest was. Repeated only where it is a `Blob`. */
  async putArchive(
    digest: string,
    archive: ArchiveSource,
    { signal }: CallOptions = {},
  ): Promise<void> {
    await this.#transport.send({
      method: "PUT",
      path: this.#path(`/capsules/${digest}/archive`),
      ...archiveBody(archive),
      timeoutMs: this.#uploadTimeoutMs,
      signal,
    });
  }

  /** The capsules that the platform has, by name and version. */
  async findCapsules({
    name,
    version,
    signal,
  }: CallOptions & { name?: string; version?: string } = {}): Promise<readonly CapsuleRecord[]> {
    const query = new URLSearchParams({ ...(name && { name }), ...(version && { version }) });
    const answer = await this.#get(`/capsules?${query}`, { signal });
    return parseAnswer(answer, capsuleListSchema, "the list of capsules").capsules;
  }

  /** The bytes of a manifest, as they were pushed; whether they fit `digest` is the caller's to check. */
  async getManifest(digest: string, { signal }: CallOptions = {}): Promise<Uint8Array> {
    return (await this.#get(`/capsules/${digest}`, { signal })).body;
  }

  /** Where the archive of a capsule is; it takes the same token. */
  archiveUrl(digest: string): string {
    return this.endpoint + this.#path(`/capsules/${digest}/archive`);
  }

  async listDevices({ signal }: CallOptions = {}): Promise<readonly DeviceRecord[]> {
    const answer = await this.#get("/devices", { signal });
    return parseAnswer(answer, deviceListSchema, "the list of devices").devices;
  }

  async getDevice(device: string, { signal }: CallOptions = {}): Promise<DeviceRecord> {
    const answer = await this.#get(devicePath(device), { signal });
    return parseAnswer(answer, deviceRecordSchema, "the device");
  }

  /** Hands the platform a signed assignment for `device`; the same one again changes nothing. */
  async putAssignment(
    device: string,
    envelope: Envelope,
    { signal }: CallOptions = {},
  ): Promise<void> {
    await this.#transport.send({
      ...this.#post(`${devicePath(device)}/assignment`, envelope),
      method: "PUT",
      signal,
    });
  }

  /** Reports of `device` after seq `after` (default 0: the oldest kept), one page of them. */
  async getReports(
    device: string,
    { after = 0, waitMs = 0, signal }: CallOptions & { after?: number; waitMs?: number } = {},
  ): Promise<readonly Report[]> {
    const path = `${devicePath(device)}/reports?after=${after}`;
    const answer = await this.#get(path, { waitMs, signal });
    return parseAnswer(answer, reportListSchema, "the list of reports").reports;
  }

  /** Every report of `device` after seq `after` as it comes; ends only by `signal` or an error. */
  async *watchReports(
    device: string,
    { after = 0, signal }: CallOptions & { after?: number } = {},
  ): AsyncGenerator<Report, never> {
    for (let seen = after; ; ) {
      const asked = this.#clock.monotonic();
      const reports = await this.getReports(device, { after: seen, waitMs: 50_000, signal });
      for (const report of reports) {
        seen = report.seq;
        yield report;
      }
      // Whoever answers "none" at once did not hear the wish to wait; asking faster is no help.
      const tookMs = this.#clock.monotonic() - asked;
      if (reports.length === 0 && tookMs < idlePauseMs) {
        await this.#clock.sleep(idlePauseMs - tookMs, signal ? { signal } : {});
      }
    }
  }

  /** The root of trust that the platform checks with. */
  async getRoot({ signal }: CallOptions = {}): Promise<Envelope> {
    return parseAnswer(await this.#get("/trust/root", { signal }), envelopeSchema, "the root");
  }

  /** Resolves when the platform answers at all. */
  async ping({ signal }: CallOptions = {}): Promise<void> {
    await this.#transport.send({ method: "GET", path: "/healthz", anonymous: true, signal });
  }

  #get(
    path: string,
    {
      waitMs = 0,
      headers = {},
      signal,
    }: CallOptions & { waitMs?: number; headers?: Readonly<Record<string, string>> },
  ): Promise<Answer> {
    const seconds = Math.floor(Math.min(waitMs, longestWaitMs) / 1_000);
    return this.#transport.send({
      method: "GET",
      path: this.#path(path),
      headers: seconds > 0 ? { ...headers, prefer: `wait=${seconds}` } : headers,
      timeoutMs: this.#timeoutMs + seconds * 1_000,
      signal,
    });
  }

  #post(path: string, body: unknown = {}) {
    return {
      method: "POST" as const,
      path: this.#path(path),
      headers: { "content-type": "application/json" },
      body: () => JSON.stringify(body),
    };
  }

  #path(path: string): string {
    return projectPath(this.project) + path;
  }
}

function devicePath(device: string): string {
  return `/devices/${encodeURIComponent(device)}`;
}
