import { once } from "node:events";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import http, { type IncomingMessage } from "node:http";
import https from "node:https";
import type { Readable } from "node:stream";
import { fileURLToPath } from "node:url";
import { type Clock, toError, withTimeout } from "@roboticks/core";
import type { InstallProgress, InstallSource } from "./capsule.ts";
import { CapsuleError } from "./errors.ts";

/** Options of {@link download}. */
export interface DownloadOptions {
  readonly clock: Clock;
  /** A server that sends nothing for so long is given up, in ms. */
  readonly idleTimeoutMs: number;
  readonly onProgress: (progress: InstallProgress) => void;
  readonly signal: AbortSignal;
}

/** More redirects than this are a circle. */
const maxRedirects = 5;

/**
 * One attempt to fetch an archive: its bytes as they arrive. It ends without an error only when
 * all came that were promised, by `source.size` or by the server.
 *
 * @throws {CapsuleError} `ERR_CAPSULE_DOWNLOAD`
 * @throws `signal.reason` once `signal` is aborted
 */
export async function* download(
  source: InstallSource,
  options: DownloadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const url = URL.parse(source.url);
  const open = url?.protocol === "file:" ? openFile : openHttp;
  if (!url || !["file:", "http:", "https:"].includes(url.protocol)) {
    throw failed(source.url, "only file:, http: and https: URLs are taken");
  }
  const { body, length, described } = await open(url, source, options);
  const { size } = source;
  try {
    if (size !== undefined && length !== undefined && length !== size) {
      throw failed(url, `it has ${length} bytes (${described}), ${size} were expected`, {
        retryable: true,
      });
    }
    const totalBytes = size ?? length;
    let receivedBytes = 0;
    for await (const chunk of watched(body, url, options)) {
      receivedBytes += chunk.length;
      if (totalBytes !== undefined && receivedBytes > totalBytes) {
        throw failed(url, `more than the ${totalBytes} bytes came that it has`, {
          retryable: true,
        });
      }
      options.onProgress({ receivedBytes, totalBytes });
      yield chunk;
    }
    if (totalBytes !== undefined && receivedBytes < totalBytes) {
      throw cut(url, receivedBytes, totalBytes);
    }
  } finally {
    body.destroy();
  }
}

interface Opened {
  readonly body: Readable;
  /** Bytes that it will have, where that is known. */
  readonly length?: number;
  /** What it is, for messages. */
  readonly described: string;
}

async function openFile(url: URL): Promise<Opened> {
  try {
    const path = fileURLToPath(url);
    return {
      length: (await stat(path)).size,
      body: createReadStream(path, { highWaterMark: 2 ** 20 }),
      described: "a file",
    };
  } catch (cause) {
    throw failed(url, toError(cause).message, { cause });
  }
}

async function openHttp(
  start: URL,
  { headers }: InstallSource,
  options: DownloadOptions,
): Promise<Opened> {
  const credentials = typeof headers === "function" ? await asked(headers, start) : (headers ?? {});
  let url = start;
  for (let redirects = 0; redirects <= maxRedirects; redirects++) {
    // Whatever the caller sends along is for one origin alone.
    const response = await ask(url, url.origin === start.origin ? credentials : {}, options);
    const { statusCode = 0 } = response;
    const { location } = response.headers;
    if (statusCode === 200) {
      if (/^text\/html\b/i.test(response.headers["content-type"] ?? "")) {
        response.destroy();
        const why = "a web page came instead, as networks show that want a login first";
        throw failed(url, why, { retryable: true });
      }
      const length = response.headers["content-length"];
      return {
        body: response,
        length: length === undefined ? undefined : Number(length),
        described: response.headers["content-type"] ?? "of no content type",
      };
    }
    response.destroy();
    if (statusCode < 300 || statusCode > 399 || location === undefined)
      throw refusal(url, response);
    url = redirected(url, location);
  }
  throw failed(start, `it redirects more than ${maxRedirects} times`);
}

/** A token that cannot be had now is a download that cannot be had now. */
async function asked(
  headers: Extract<InstallSource["headers"], (...args: never) => unknown>,
  url: URL,
): Promise<Readonly<Record<string, string>>> {
  try {
    return await headers();
  } catch (cause) {
    throw failed(url, `no headers for it: ${toError(cause).message}`, { cause, retryable: true });
  }
}

async function ask(
  url: URL,
  headers: Readonly<Record<string, string>>,
  options: DownloadOptions,
): Promise<IncomingMessage> {
  const { request } = url.protocol === "https:" ? https : http;
  const outgoing = request(url, {
    agent: false, // one download, one connection: nothing is left open behind it
    headers: { "user-agent": "roboticks-capsule", ...headers, "accept-encoding": "identity" },
  });
  outgoing.on("error", () => {}); // what goes wrong is thrown where it is waited for
  outgoing.end();
  const [response] = await within(options, url, outgoing, (signal) =>
    once(outgoing, "response", { signal }),
  );
  return response;
}

/** The chunks of `body`; a wait for the next one ends with the timeout or the signal. */
async function* watched(
  body: Readable,
  url: URL,
  options: DownloadOptions,
): AsyncGenerator<Uint8Array, void, undefined> {
  const chunks: AsyncIterator<Uint8Array> = body[Symbol.asyncIterator]();
  for (;;) {
    const { done, value } = await within(options, url, body, () => chunks.next());
    if (done) return;
    yield value;
  }
}

/** Waits for `body` to go on, no longer than allowed, and says in our words what went wrong. */
async function within<Result>(
  { clock, idleTimeoutMs, signal }: DownloadOptions,
  url: URL,
  body: { destroy(error?: Error): unknown },
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const late = (): CapsuleError =>
    failed(url, `nothing came for ${idleTimeoutMs} ms`, { retryable: true });
  try {
    return await withTimeout(
      clock,
      idleTimeoutMs,
      late,
      async (ended) => {
        const onEnded = (): void => void body.destroy(toError(ended.reason));
        ended.addEventListener("abort", onEnded, { once: true });
        try {
          return await work(ended);
        } catch (error) {
          throw ended.aborted ? ended.reason : error;
        } finally {
          ended.removeEventListener("abort", onEnded);
        }
      },
      signal,
    );
  } catch (cause) {
    body.destroy();
    signal.throwIfAborted();
    if (cause instanceof CapsuleError) throw cause;
    throw failed(url, toError(cause).message, { cause, retryable: true });
  }
}

/** Where a redirect leads; only `http:` and `https:`, and never from the second to the first. */
export function redirected(from: URL, location: string): URL {
  const to = URL.parse(location, from.href);
  if (!to || !["http:", "https:"].includes(to.protocol)) {
    throw failed(from, "it redirects to what is no http address");
  }
  if (from.protocol === "https:" && to.protocol === "http:") {
    throw failed(from, `it redirects from https to ${shown(to)}, which anybody could read`);
  }
  return to;
}

/** Statuses that mean "later": overloaded, or a token that just expired. */
const passingStatuses = [401, 408, 425, 429];

function refusal(url: URL, { statusCode = 0, headers }: IncomingMessage): CapsuleError {
  const retryable = statusCode >= 500 || passingStatuses.includes(statusCode);
  const seconds = headers["retry-after"];
  return failed(url, `the server answered ${statusCode}`, {
    retryable,
    ...(seconds && /^\d{1,9}$/.test(seconds) && { retryAfterMs: Number(seconds) * 1_000 }),
  });
}

/** The download that ended before its end. */
export function cut(url: URL | string, receivedBytes: number, totalBytes?: number): CapsuleError {
  const of = totalBytes === undefined ? "" : ` of ${totalBytes}`;
  return failed(url, `it was cut after ${receivedBytes}${of} bytes`, { retryable: true });
}

function failed(
  url: URL | string,
  why: string,
  options: {
    readonly cause?: unknown;
    readonly retryable?: boolean;
    readonly retryAfterMs?: number;
  } = {},
): CapsuleError {
  const advice = options.retryable ? "try again later" : "see to the address, or to who serves it";
  return new CapsuleError(
    "ERR_CAPSULE_DOWNLOAD",
    `could not download ${shown(url)}: ${why}; ${advice}`,
    options,
  );
}

/** An address for messages: without query and user, which may hold secrets. */
function shown(url: URL | string): string {
  const parsed = URL.parse(String(url));
  if (!parsed) return "from what is no address";
  return `${parsed.protocol}//${parsed.host}${parsed.pathname}`;
}
