import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer } from "node:net";
import { afterEach, expect, test } from "vitest";
import { PlatformClient } from "../src/index.ts";

const servers: { close(): unknown }[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

async function serve(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener);
  servers.push({ close: () => [server.close(), server.closeAllConnections()] });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** A server that says `text` to whoever comes, and hangs up. */
async function say(text: string): Promise<string> {
  const server = createTcpServer((socket) => {
    socket.once("data", () => socket.end(text));
    socket.on("error", () => {}); // the client may be gone first
  });
  servers.push(server);
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function clientOf(endpoint: string, more: { timeoutMs?: number } = {}): PlatformClient {
  return new PlatformClient({ endpoint, project: "p", token: "secret-token", ...more });
}

test("nobody there", async () => {
  const endpoint = await serve(() => {});
  servers.splice(0).forEach((server) => void server.close());
  await expect(clientOf(endpoint).listDevices()).rejects.toMatchObject({
    code: "ERR_CLIENT_UNREACHABLE",
  });
});

test("a redirect to another origin does not take the token there", async () => {
  const heard: unknown[] = [];
  const thief = await serve((request, response) => {
    heard.push(request.headers);
    response.end("{}");
  });
  for (const status of [301, 302, 303, 307, 308]) {
    const endpoint = await serve((_, response) => {
      response.writeHead(status, { location: `${thief}/v1` }).end();
    });
    const client = clientOf(endpoint);
    await expect(client.listDevices()).rejects.toMatchObject({ code: "ERR_CLIENT_MALFORMED" });
    await expect(client.sendReports("a", [])).resolves.toBe(0);
    await expect(
      client.putArchive("sha256:0", { body: new Blob(["x"]), size: 1, sha256: "0".repeat(64) }),
    ).rejects.toMatchObject({ code: "ERR_CLIENT_MALFORMED" });
  }
  expect(heard).toEqual([]);
});

test("an answer that is cut is an error, with a length or without", async () => {
  const sized = await say('HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"devices": []}');
  await expect(clientOf(sized).listDevices()).rejects.toMatchObject({
    code: "ERR_CLIENT_UNREACHABLE",
  });
  const chunked = await say(
    'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nc\r\n{"devices": \r\n',
  );
  await expect(clientOf(chunked).listDevices()).rejects.toHaveProperty("code");
});

test("what is no HTTP at all", async () => {
  const endpoint = await say("220 mail.example.com ESMTP\r\n");
  await expect(clientOf(endpoint).listDevices()).rejects.toMatchObject({
    code: "ERR_CLIENT_UNREACHABLE",
  });
});

test("a server that answers a byte at a time, and never ends, is given up", async () => {
  const endpoint = await serve((_, response) => {
    response.writeHead(200, { "content-type": "application/json" }).write("{");
  });
  await expect(clientOf(endpoint, { timeoutMs: 100 }).listDevices()).rejects.toMatchObject({
    code: "ERR_CLIENT_TIMEOUT",
  });
});

test("a captive portal is recognised", async () => {
  const endpoint = await serve((_, response) => {
    response.writeHead(200, { "content-type": "text/html" }).end("<html><title>Hotel WiFi</title>");
  });
  const call = clientOf(endpoint).getAssignment("a");
  await expect(call).rejects.toThrow(/text\/html.*Hotel WiFi/);
  await expect(call).rejects.toMatchObject({ code: "ERR_CLIENT_MALFORMED" });
});

test("an upload has its length and its digest, streamed or not", async () => {
  const heard: (string | undefined)[] = [];
  const endpoint = await serve((request, response) => {
    heard.push(request.headers["content-length"], request.headers["content-digest"]?.toString());
    request.resume().on("end", () => response.writeHead(204).end());
  });
  async function* stream(): AsyncGenerator<Uint8Array> {
    yield new Uint8Array(2);
    yield new Uint8Array(1);
  }
  for (const body of [
    new Blob([new Uint8Array(3)]),
    stream(),
    new Blob([new Uint8Array(3)]).stream(),
  ]) {
    await clientOf(endpoint).putArchive("sha256:0", { body, size: 3, sha256: "00".repeat(32) });
  }
  const digest = `sha-256=:${Buffer.alloc(32).toString("base64")}:`;
  expect(heard).toEqual(["3", digest, "3", digest, "3", digest]);
});
