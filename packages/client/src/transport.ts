import {
  type BackoffOptions,
  type Clock,
  type Logger,
  retry,
  toError,
  withTimeout,
} from "@roboticks/core";
import { type Answer, malformed, readBody, refusal } from "./answer.ts";
import { ClientError } from "./errors.ts";

/** What every call takes. */
export interface CallOptions {
  /** Ends the waiting; the call rejects with its reason. */
  readonly signal?: AbortSignal | undefined;
}

/** A token, or where one comes from; `rejected` is the one that was just refused with 401. */
export type TokenSource =
  | string
  | ((options: {
      readonly signal?: AbortSignal | undefined;
      readonly rejected?: string | undefined;
    }) => Promise<string>);

/** How often and at what pauses a call is repeated that may be. */
export interface RetryPolicy extends BackoffOptions {
  /** Tries in all. Default 1: whether to wait is for the caller to say. */
  readonly attempts?: number;
}

/** One request, as the methods of the client describe it. */
export interface Call extends CallOptions {
  readonly method: "GET" | "PUT" | "POST";
  /** Path and query below the endpoint. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Makes the body; called once a try. */
  readonly body?: () => string | Blob | Uint8Array<ArrayBuffer> | ReadableStream;
  /** Shown instead of the client's own token. */
  readonly token?: string | undefined;
  /** Whether it is asked without any token. Default false. */
  readonly anonymous?: boolean;
  /** Whether a second time does no harm. Default true. */
  readonly repeatable?: boolean;
  /** Default: the transport's. */
  readonly timeoutMs?: number;
}

export interface TransportOptions {
  readonly endpoint: string;
  readonly token: TokenSource | undefined;
  readonly fetch: typeof globalThis.fetch;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly retry: RetryPolicy;
  readonly timeoutMs: number;
  readonly maxAnswerBytes: number;
}

/** Sends calls and reads their answers to the end; knows tokens, time and repetition. */
export class Transport {
  readonly #options: TransportOptions;

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  /**
   * @throws {ClientError} see the package's README
   * @throws `call.signal`'s reason once that is aborted
   */
  send(call: Call): Promise<Answer> {
    const { clock, logger, retry: policy } = this.#options;
    const { attempts = 1, ...backoff } = policy;
    return retry(() => this.#authorized(call), {
      ...backoff,
      clock,
      ...(call.signal ? { signal: call.signal } : {}),
      attempts: call.repeatable === false ? 1 : attempts,
      retryable: (error) => error instanceof ClientError && error.retryable,
      onRetry: ({ error, pauseMs }) =>
        logger.warn({ error: toError(error).message, pauseMs }, `${nameOf(call)}: trying again`),
    });
  }

  /** One try; a token that was refused is replaced once where its source has another. */
  async #authorized(call: Call): Promise<Answer> {
    if (call.anonymous) return this.#once(call, undefined);
    const source = call.token ?? this.#options.token;
    if (typeof source !== "function") return this.#once(call, source);
    const { signal } = call;
    const token = await source({ signal });
    try {
      return await this.#once(call, token);
    } catch (error) {
      const renewable =
        error instanceof ClientError && error.status === 401 && call.repeatable !== false;
      if (!renewable) throw error;
      return this.#once(call, await source({ signal, rejected: token }));
    }
  }

  async #once(call: Call, token: string | undefined): Promise<Answer> {
    const { clock, timeoutMs: usual } = this.#options;
    const timeoutMs = call.timeoutMs ?? usual;
    const late = (): ClientError =>
      new ClientError(
        "ERR_CLIENT_TIMEOUT",
        `${nameOf(call)} was not answered within ${timeoutMs / 1_000} s by ${this.#options.endpoint}`,
      );
    const answer = await withTimeout(
      clock,
      timeoutMs,
      late,
      (signal) => this.#exchange(call, token, signal),
      call.signal,
    );
    if (answer.status >= 400) throw refusal(answer, nameOf(call), clock.now());
    return answer;
  }

  async #exchange(call: Call, token: string | undefined, signal: AbortSignal): Promise<Answer> {
    const { endpoint, fetch, maxAnswerBytes } = this.#options;
    try {
      const body = call.body?.();
      const response = await fetch(endpoint + call.path, {
        method: call.method,
        headers: {
          accept: "application/json",
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...call.headers,
        },
        ...(body === undefined ? {} : { body }),
        ...(body instanceof ReadableStream ? { duplex: "half" as const } : {}),
        // Never followed: the token and what we send are for the endpoint alone.
        redirect: "manual",
        credentials: "omit",
        cache: "no-store",
        signal,
      });
      const answer: Answer = {
        status: response.status,
        header: (name) => response.headers.get(name),
        body: await readBody(response, maxAnswerBytes, nameOf(call)),
      };
      const redirected = answer.status >= 300 && answer.status < 400 && answer.status !== 304;
      if (redirected || response.type === "opaqueredirect") {
        const target = answer.header("location") ?? "somewhere else";
        throw malformed(answer, nameOf(call), `it redirects to ${target}, which is not followed`);
      }
      return answer;
    } catch (cause) {
      if (signal.aborted) throw signal.reason;
      if (cause instanceof ClientError) throw cause;
      throw new ClientError(
        "ERR_CLIENT_UNREACHABLE",
        `${nameOf(call)}: no answer from ${endpoint} (${reasonOf(cause)}); ` +
          "is it running, and is the way there open?",
        { cause },
      );
    }
  }
}

function nameOf({ method, path }: Call): string {
  return `${method} ${path.split("?")[0]}`;
}

/** `fetch` says only "fetch failed"; what failed is in the cause. */
function reasonOf(thrown: unknown): string {
  const error = toError(thrown);
  return error.cause instanceof Error && error.cause.message ? error.cause.message : error.message;
}
