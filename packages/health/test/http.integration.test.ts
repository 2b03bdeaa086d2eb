import { once } from "node:events";
import { createServer, type IncomingMessage } from "node:http";
import { type Clock, systemClock } from "@roboticks/core";
import { ManualClock } from "@roboticks/core/testing";
import { describe, expect, it } from "vitest";
import { type Check, type CheckResult, HealthMonitor, http } from "../src/index.ts";
import { closedPort, RawServer } from "./servers.ts";

const run = (check: Check, clock: Clock = systemClock): Promise<CheckResult> =>
  check.run({ signal: new AbortController().signal, clock });

const pass = { status: "pass" };
const failed = (reason: unknown) => ({ status: "fail", reason });

const ok = "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nready";

describe("the status", () => {
  it.each([
    [200, pass],
    [204, pass],
    [301, failed("301 Some Text")],
    [404, failed("404 Some Text")],
    [500, failed("500 Some Text")],
  ])("%d by default", async (status, result) => {
    await using server = await RawServer.answering(
      `HTTP/1.1 ${status} Some Text\r\ncontent-length: 0\r\n\r\n`,
    );
    expect(await run(http({ url: server.url() }))).toEqual(result);
  });

  it("can be another one", async () => {
    await using server = await RawServer.answering("HTTP/1.1 302 Found\r\n\r\n");
    const url = server.url();
    expect(await run(http({ url, expectStatus: 302 }))).toEqual(pass);
    expect(await run(http({ url, expectStatus: [200, 302] }))).toEqual(pass);
    await using healthy = await RawServer.answering(ok);
    expect(await run(http({ url: healthy.url(), expectStatus: 503 }))).toEqual(
      failed("200: ready"),
    );
  });

  it("that is bad is quoted with its body, on one harmless line", async () => {
    await using server = await RawServer.answering(
      "HTTP/1.1 503 x\r\n\r\n  map\r\n\tnot \u001b[31mloaded\u0000\n",
    );
    expect(await run(http({ url: server.url() }))).toEqual(failed("503: map not [31mloaded"));
    await using long = await RawServer.answering(`HTTP/1.1 503 x\r\n\r\n${"é".repeat(500)}`);
    expect(await run(http({ url: long.url() }))).toEqual(failed(`503: ${"é".repeat(200)}`));
  });

  it("that is bad does not wait for a body that never ends", async () => {
    await using server = await RawServer.answering(
      "HTTP/1.1 503 x\r\ncontent-length: 900\r\n\r\nmap not",
      { close: false },
    );
    const clock = new ManualClock();
    const result = run(http({ url: server.url() }), clock);
    while (clock.sleeping === 0) await clock.advance(0);
    await clock.advance(250);
    expect(await result).toEqual(failed("503: map not"));
    expect(clock.sleeping).toBe(0);
  });

  it("that is bad is told even when the connection is reset behind it", async () => {
    await using server = await RawServer.open((socket) => {
      socket.once("data", () => {
        socket.write("HTTP/1.1 503 x\r\ncontent-length: 900\r\n\r\nmap not", () =>
          socket.resetAndDestroy(),
        );
      });
    });
    // The reset may overtake what was sent; then it is the reset that is told.
    const reason = expect.stringMatching(/^503: map not$|^connection reset/);
    expect(await run(http({ url: server.url() }))).toEqual(failed(reason));
  });
});

describe("the body", () => {
  it.each([
    ["with a length", ok, pass],
    [
      "in chunks",
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nrea\r\n2\r\ndy\r\n0\r\n\r\n",
      pass,
    ],
    ["up to the end", "HTTP/1.0 200 OK\r\n\r\nnot ready yet", pass],
    [
      "without it",
      "HTTP/1.1 200 OK\r\ncontent-length: 7\r\n\r\nbooting",
      failed('the body does not contain "ready": "booting"'),
    ],
    [
      "that was cut off",
      "HTTP/1.1 200 OK\r\ncontent-length: 70\r\n\r\nbooting",
      failed("the connection was closed before the body was complete"),
    ],
    [
      "that is long",
      `HTTP/1.1 200 OK\r\n\r\n${"z".repeat(70_000)}ready`,
      failed(expect.stringContaining("the first 64 kB of the body does not contain")),
    ],
  ])("%s", async (_, answer, result) => {
    await using server = await RawServer.answering(answer);
    expect(await run(http({ url: server.url(), expectBody: "ready" }))).toEqual(result);
  });

  it("need not end once it was found, nor be read when nobody asked", async () => {
    await using server = await RawServer.answering(
      "HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\nready",
      { close: false },
    );
    expect(await run(http({ url: server.url(), expectBody: "ready" }))).toEqual(pass);
    expect(await run(http({ url: server.url() }))).toEqual(pass);
    await server.idle();
  });
});

describe("an answer that is none", () => {
  it.each([
    ["nothing", "", "the connection was closed without an answer"],
    [
      "half a head",
      "HTTP/1.1 200 OK\r\nserv",
      "the connection was closed before the answer's head was complete",
    ],
    ["garbage", "\u0000\u0001\u0002garbage", 'not an HTTP answer: it begins with "???ga"'],
    [
      "huge headers",
      `HTTP/1.1 200 OK\r\nx: ${"y".repeat(1e6)}\r\n\r\n`,
      "the answer's head is longer than 16 kB",
    ],
  ])("%s", async (_, answer, reason) => {
    await using server = await RawServer.answering(answer);
    expect(await run(http({ url: server.url() }))).toEqual(failed(reason));
    await server.idle();
  });

  it("from a port that is closed", async () => {
    const port = await closedPort();
    expect(await run(http({ url: `http://127.0.0.1:${port}/` }))).toEqual(
      failed(`connection refused (127.0.0.1:${port})`),
    );
  });
});

describe("the request", () => {
  it("is what a web server understands", async () => {
    const requests: IncomingMessage[] = [];
    const server = createServer((request, response) => {
      requests.push(request);
      response.end("ready");
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const host = `127.0.0.1:${address && typeof address === "object" ? address.port : ""}`;
    const url = `http://${host}/a/ä?x=1#part`;
    expect(await run(http({ url, expectBody: "ready" }))).toEqual(pass);
    expect(await run(http({ url, method: "HEAD" }))).toEqual(pass);
    const headers = { Authorization: "Bearer t", Host: "robot.local" };
    expect(await run(http({ url, method: "POST", headers }))).toEqual(pass);
    expect(requests.map(({ method, url }) => `${method} ${url}`)).toEqual([
      "GET /a/%C3%A4?x=1",
      "HEAD /a/%C3%A4?x=1",
      "POST /a/%C3%A4?x=1",
    ]);
    expect(requests[0]?.headers).toEqual({
      host,
      "user-agent": "roboticks-health",
      accept: "*/*",
      "accept-encoding": "identity",
      connection: "close",
    });
    expect(requests[2]?.headers).toMatchObject({
      host: "robot.local",
      authorization: "Bearer t",
      "content-length": "0",
    });
    const closed = once(server, "close");
    server.close();
    await closed;
  });

  it("reaches IPv6", async () => {
    await using server = await RawServer.answering(ok, { host: "::1" });
    expect(await run(http({ url: `http://[::1]:${server.port}/` }))).toEqual(pass);
    const port = await closedPort();
    expect(await run(http({ url: `http://[::1]:${port}/` }))).toEqual(
      failed(`connection refused ([::1]:${port})`),
    );
  });

  it("reaches a name", async () => {
    await using server = await RawServer.answering(ok);
    expect(await run(http({ url: `http://localhost:${server.port}/` }))).toEqual(pass);
  });
});

describe("a server that hangs", () => {
  it.each([
    ["before its answer", ""],
    ["within its head", "HTTP/1.1 200 OK\r\n"],
    ["within the body that is asked for", "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nrea"],
  ])("%s times out, and no socket is left", async (_, answer) => {
    await using server = await RawServer.answering(answer, { close: false });
    await using monitor = new HealthMonitor();
    const target = monitor.watch("hanging", [
      http({
        url: server.url(),
        expectBody: "ready",
        timeoutMs: 150,
        startPeriodMs: 0,
        failureThreshold: 1,
      }),
    ]);
    expect(await target.settle({ healthyForMs: 0, withinMs: 30_000 })).toMatchObject({
      kind: "unhealthy",
      cause: { reason: "timed out after 150ms" },
    });
    await server.idle();
  });

  it("is let go of when the monitor is disposed", async () => {
    const connected = Promise.withResolvers<void>();
    await using server = await RawServer.open((socket) =>
      socket.once("data", () => connected.resolve()),
    );
    const monitor = new HealthMonitor();
    monitor.watch("hanging", [http({ url: server.url() })]);
    await connected.promise;
    await monitor[Symbol.asyncDispose]();
    await server.idle();
    expect(server.accepted).toBe(1);
  });
});
