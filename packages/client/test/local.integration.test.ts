import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer, type RequestListener, type Server } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { AgentClient, type AgentStatus } from "../src/local.ts";

let folder: string;
let socketPath: string;
let server: Server | undefined;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "agent-"));
  socketPath = join(folder, "agent.sock");
});
afterEach(async () => {
  server?.close();
  server?.closeAllConnections();
  server = undefined;
  await rm(folder, { recursive: true });
});

async function serve(listener: RequestListener): Promise<AgentClient> {
  server = createServer(listener);
  server.listen(socketPath);
  await once(server, "listening");
  return new AgentClient({ socketPath });
}

const label = { name: "robot", version: "1.0.0", digest: `sha256:${"a".repeat(64)}` } as const;
const status: AgentStatus = {
  apiVersion: "roboticks/v1",
  version: "0.1.0",
  device: "robot-7",
  pid: 42,
  ready: true,
  platform: { connected: false, lastError: "no route" },
  deployment: {
    running: label,
    latest: { deployment: label, state: "trial" },
    previous: [label],
  },
  capsules: [
    { name: "nav", capsule: label, pid: 7, state: "running", verdict: "healthy", restarts: 0 },
  ],
  trust: { rootVersion: 1, pinned: "dsn" },
};

test("the status is read", async () => {
  const asked: (string | undefined)[] = [];
  const agent = await serve((request, response) => {
    asked.push(request.method, request.url);
    response.end(JSON.stringify(status));
  });
  expect(await agent.status()).toEqual(status);
  expect(asked).toEqual(["GET", "/v1/status"]);
});

test.for([true, false])("it is asked to end, workloads too: %s", async (workloads) => {
  const asked: unknown[] = [];
  const agent = await serve((request, response) => {
    let body = "";
    request.on("data", (chunk) => {
      body += chunk;
    });
    request.on("end", () => {
      asked.push(request.method, request.url, JSON.parse(body));
      response.writeHead(202).end();
    });
  });
  await agent.stop({ workloads });
  expect(asked).toEqual(["POST", "/v1/shutdown", { stopWorkloads: workloads }]);
});

test("nothing there, and a socket that nobody listens at, ask whether the agent runs", async () => {
  const agent = new AgentClient({ socketPath });
  await expect(agent.status()).rejects.toMatchObject({ code: "ERR_CLIENT_UNREACHABLE" });
  await expect(agent.status()).rejects.toThrow(/is the agent running/);
});

test("a refusal carries its problem", async () => {
  const agent = await serve((_, response) => {
    const problem = { code: "ERR_AGENT_STARTING", message: "not yet" };
    response.writeHead(503).end(JSON.stringify(problem));
  });
  await expect(agent.status()).rejects.toMatchObject({
    code: "ERR_CLIENT_REFUSED",
    status: 503,
    problem: { code: "ERR_AGENT_STARTING" },
  });
});

test("an answer that is none, is cut, or has no end is an error", async () => {
  const answers: RequestListener[] = [
    (_, response) => void response.end("{}"),
    (_, response) => {
      response.writeHead(200, { "content-length": 99 }).write("{", () => response.destroy());
    },
    (_, response) => {
      const more = () => response.write("x".repeat(100_000), more);
      more();
    },
  ];
  const agent = await serve((request, response) => answers.shift()?.(request, response));
  await expect(agent.status()).rejects.toMatchObject({ code: "ERR_CLIENT_MALFORMED" });
  await expect(agent.status()).rejects.toMatchObject({ code: "ERR_CLIENT_UNREACHABLE" });
  await expect(agent.status()).rejects.toMatchObject({ code: "ERR_CLIENT_MALFORMED" });
});

test("silence is given up, by time or by the caller", async () => {
  await serve(() => {});
  const agent = new AgentClient({ socketPath, timeoutMs: 50 });
  await expect(agent.status()).rejects.toMatchObject({ code: "ERR_CLIENT_TIMEOUT" });
  const abort = new AbortController();
  const call = new AgentClient({ socketPath }).status({ signal: abort.signal });
  const reason = new Error("enough");
  abort.abort(reason);
  await expect(call).rejects.toBe(reason);
});
