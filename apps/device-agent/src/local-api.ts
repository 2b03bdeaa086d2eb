import { rm } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { join } from "node:path";
import { AgentClient, ClientError } from "@roboticks/client/local";
import { type Logger, toError } from "@roboticks/core";
import { socketPath } from "@roboticks/core/socket";
import { checkDocument } from "@roboticks/spec/document";
import { type AgentStatus, agentShutdownRequestSchema } from "@roboticks/spec/local";
import { AgentError } from "./errors.ts";

/** What the local API asks of the agent. */
export interface LocalApiHandlers {
  status(): AgentStatus;
  shutdown(request: { readonly stopWorkloads: boolean }): void;
}

/** Options of {@link openLocalApi}. */
export interface LocalApiOptions extends LocalApiHandlers {
  /** The run folder, which nobody else may enter (0700): the socket in it is open to its owner. */
  readonly folder: string;
  readonly logger: Logger;
}

const maxBodyBytes = 64 * 1024;

/**
 * Serves `agent.sock`: `GET /v1/status` and `POST /v1/shutdown`. A socket that is there already is
 * taken for left over, and replaced; see {@link refuseIfShared}.
 *
 * @throws {AgentError} `ERR_AGENT_SOCKET`
 */
export async function openLocalApi({
  folder,
  logger,
  ...handlers
}: LocalApiOptions): Promise<AsyncDisposable> {
  const path = join(folder, "agent.sock");
  const server = createServer(
    { requestTimeout: 10_000, headersTimeout: 5_000 },
    (request, response) => {
      answer(request, response, handlers).catch((error: unknown) => {
        logger.warn({ error: toError(error).message }, "a local request failed");
        send(response, 400, { code: "ERR_AGENT_SOCKET", message: toError(error).message });
      });
    },
  );
  await rm(path, { force: true });
  await using stack = new AsyncDisposableStack();
  try {
    // Open until the server is closed, which unlinks the path that it was given.
    const socket = stack.use(await socketPath(path));
    await listen(server, socket.path);
  } catch (cause) {
    const why = toError(cause).message;
    throw new AgentError("ERR_AGENT_SOCKET", `cannot listen on ${path}: ${why}`, { cause });
  }
  stack.defer(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
    await rm(path, { force: true });
  });
  return stack.move();
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  { status, shutdown }: LocalApiHandlers,
): Promise<void> {
  const route = `${request.method} ${request.url}`;
  if (route === "GET /v1/status") return send(response, 200, status());
  if (route === "POST /v1/shutdown") {
    const body = JSON.parse(await bodyOf(request));
    const order = checkDocument(body, agentShutdownRequestSchema, { file: "request" });
    send(response, 202, {});
    return shutdown(order);
  }
  send(response, 404, { code: "ERR_AGENT_SOCKET", message: `there is no ${route}` });
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request) {
    size += chunk.length;
    if (size > maxBodyBytes) throw new Error(`the body is longer than ${maxBodyBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function send(response: ServerResponse, status: number, body: object): void {
  if (response.headersSent) return;
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(body));
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, resolve);
  });
}

/**
 * Makes sure that no other agent uses this run folder: two of different roots would take each
 * other's processes. Called before anything in it is touched.
 *
 * @throws {AgentError} `ERR_AGENT_SOCKET`
 */
export async function refuseIfShared(folder: string): Promise<void> {
  const path = join(folder, "agent.sock");
  const answered = await new AgentClient({ socketPath: path, timeoutMs: 2_000 }).status().then(
    () => true,
    (error: unknown) => !(error instanceof ClientError && error.code === "ERR_CLIENT_UNREACHABLE"),
  );
  if (!answered) return;
  throw new AgentError(
    "ERR_AGENT_SOCKET",
    `another agent answers at ${path}; give this one a run folder of its own`,
  );
}
