import { request } from "node:http";
import { type Clock, systemClock, withTimeout } from "@roboticks/core";
import { socketPath } from "@roboticks/core/socket";
import { type AgentStatus, agentStatusSchema } from "@roboticks/spec/local";
import { type Answer, malformed, parseAnswer, refusal } from "./answer.ts";
import { ClientError } from "./errors.ts";
import type { CallOptions } from "./transport.ts";

export type { AgentStatus } from "@roboticks/spec/local";
export { ClientError, type ClientErrorCode, clientErrorCodes } from "./errors.ts";

/** Options of {@link AgentClient}. */
export interface AgentClientOptions {
  /** The agent's socket, e.g. `/run/roboticks/agent.sock`. */
  readonly socketPath: string;
  /** From the request to the end of the answer, in ms. Default 5 s. */
  readonly timeoutMs?: number;
  readonly clock?: Clock;
}

const maxAnswerBytes = 4 * 2 ** 20;

/**
 * Talks to the agent on this device through its unix socket. Holds nothing open between calls.
 *
 * Every method throws {@link ClientError}, or `signal.reason` once its signal is aborted.
 */
export class AgentClient {
  readonly #socketPath: string;
  readonly #timeoutMs: number;
  readonly #clock: Clock;

  constructor({ socketPath, timeoutMs = 5_000, clock = systemClock }: AgentClientOptions) {
    this.#socketPath = socketPath;
    this.#timeoutMs = timeoutMs;
    this.#clock = clock;
  }

  /** What the agent runs and how it stands with the platform. */
  async status({ signal }: CallOptions = {}): Promise<AgentStatus> {
    return parseAnswer(
      await this.#call("GET", "/v1/status", { signal }),
      agentStatusSchema,
      "status",
    );
  }

  /** Asks the agent to end; `workloads` says whether what it runs ends too. Resolves when it agreed. */
  async stop({ workloads, signal }: CallOptions & { readonly workloads: boolean }): Promise<void> {
    await this.#call("POST", "/v1/shutdown", { body: { stopWorkloads: workloads }, signal });
  }

  async #call(
    method: "GET" | "POST",
    path: string,
    { body, signal }: CallOptions & { readonly body?: object },
  ): Promise<Answer> {
    signal?.throwIfAborted();
    const late = (): ClientError =>
      new ClientError(
        "ERR_CLIENT_TIMEOUT",
        `the agent at ${this.#socketPath} did not answer ${method} ${path} within ${this.#timeoutMs / 1_000} s`,
      );
    const answer = await withTimeout(
      this.#clock,
      this.#timeoutMs,
      late,
      (ended) => this.#exchange(method, path, body, ended),
      signal,
    );
    if (answer.status >= 400) throw refusal(answer, `${method} ${path}`, this.#clock.now());
    if (answer.status >= 300) throw malformed(answer, `${method} ${path}`, "it redirects");
    return answer;
  }

  async #exchange(
    method: string,
    path: string,
    body: object | undefined,
    signal: AbortSignal,
  ): Promise<Answer> {
    await using socket = await socketPath(this.#socketPath).catch((cause: unknown) => {
      throw unreachable(this.#socketPath, cause);
    });
    return await new Promise((resolve, reject) => {
      const fail = (cause: unknown): void => {
        if (signal.aborted) reject(signal.reason);
        else reject(cause instanceof ClientError ? cause : unreachable(this.#socketPath, cause));
      };
      const content = body === undefined ? undefined : JSON.stringify(body);
      const sent = request(
        {
          socketPath: socket.path,
          method,
          path,
          agent: false, // one connection a call, closed after it
          signal,
          headers: content === undefined ? {} : { "content-type": "application/json" },
        },
        (response) => {
          const chunks: Buffer[] = [];
          let size = 0;
          response.on("error", fail);
          response.on("data", (chunk: Buffer) => {
            size += chunk.length;
            if (size <= maxAnswerBytes) chunks.push(chunk);
            else {
              reject(tooLong(method, path));
              sent.destroy();
            }
          });
          response.on("end", () => {
            const header = (name: string): string | null =>
              response.headers[name]?.toString() ?? null;
            resolve({ status: response.statusCode ?? 0, header, body: Buffer.concat(chunks) });
          });
        },
      );
      sent.on("error", fail);
      sent.end(content);
    });
  }
}

function tooLong(method: string, path: string): ClientError {
  return new ClientError(
    "ERR_CLIENT_MALFORMED",
    `${method} ${path} was answered with more than ${maxAnswerBytes} bytes; is that the agent?`,
  );
}

function unreachable(socketPath: string, cause: unknown): ClientError {
  const code = (cause as NodeJS.ErrnoException).code;
  const hints: Partial<Record<string, string>> = {
    ENOENT: "nothing is there; is the agent running, and is that its socket?",
    ECONNREFUSED: "nobody listens; is the agent running?",
    EACCES: "this user may not; use the user or group that the agent's folder belongs to",
  };
  const hint = hints[code ?? ""] ?? "the connection broke; is the agent still running?";
  return new ClientError(
    "ERR_CLIENT_UNREACHABLE",
    `no answer from the agent at ${socketPath} (${code ?? String(cause)}): ${hint}`,
    { cause },
  );
}
