import { ManualClock } from "@roboticks/core/testing";
import type { Report } from "@roboticks/spec/report";
import { describe, expect, test } from "vitest";
import { ClientError, deviceTokens, PlatformClient } from "../src/index.ts";

/** A fetch that answers from a list, in turn, and remembers what it was asked. */
function scripted(...answers: (Response | Error)[]) {
  const requests: { url: string; init: RequestInit; token: string | null }[] = [];
  const fetch = async (url: unknown, init: RequestInit = {}): Promise<Response> => {
    const token = new Headers(init.headers).get("authorization");
    requests.push({ url: String(url), init, token });
    const answer = answers[requests.length - 1];
    if (!answer) throw new Error("nobody thought of this request");
    if (answer instanceof Error) throw answer;
    return answer;
  };
  return { fetch: fetch as typeof globalThis.fetch, requests };
}

const json = (value: unknown, init: ResponseInit = {}) => Response.json(value, init);
const problem = (status: number, code: string, headers: Record<string, string> = {}) =>
  json({ code, message: "no" }, { status, headers });
const options = { endpoint: "https://fleet.example.com/", project: "p", clock: new ManualClock() };

describe("errors", () => {
  test("a refusal carries the problem, its status and when to come back", async () => {
    const { fetch } = scripted(problem(429, "ERR_PLATFORM_BUSY", { "retry-after": "7" }));
    const call = new PlatformClient({ ...options, fetch }).listDevices();
    const error = await call.catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(ClientError);
    expect(error).toMatchObject({
      code: "ERR_CLIENT_REFUSED",
      status: 429,
      retryAfterMs: 7_000,
      retryable: true,
      problem: { code: "ERR_PLATFORM_BUSY", message: "no" },
    });
  });

  test("a Retry-After may be a date", async () => {
    const at = new Date(options.clock.now() + 60_000).toUTCString();
    const { fetch } = scripted(problem(503, "ERR_X", { "retry-after": at }));
    const call = new PlatformClient({ ...options, fetch }).listDevices();
    await expect(call).rejects.toMatchObject({ retryAfterMs: 60_000 });
  });

  test("what fetch threw is the cause", async () => {
    const cause = new TypeError("fetch failed", { cause: new Error("connect ECONNREFUSED") });
    const { fetch } = scripted(cause);
    const call = new PlatformClient({ ...options, fetch }).listDevices();
    await expect(call).rejects.toMatchObject({ code: "ERR_CLIENT_UNREACHABLE", cause });
    await expect(call).rejects.toThrow(/fleet\.example\.com.*ECONNREFUSED/);
  });

  test.for([
    [
      "HTML",
      new Response("<html>Log in to the WiFi</html>", { headers: { "content-type": "text/html" } }),
      /text\/html.*Log in to the WiFi/,
    ],
    ["half an answer", new Response('{"devices": ['), /no JSON/],
    ["another document", json({ devices: [{ name: "X!" }] }), /does not fit/],
    ["unknown keys", json({ devices: [], more: 1 }), /does not fit/],
    ["no UTF-8", new Response(new Uint8Array([0x7b, 0xff, 0x7d])), /no JSON/],
    [
      "a redirect",
      new Response(null, { status: 302, headers: { location: "https://evil.example" } }),
      /evil\.example/,
    ],
    ["a proxy's error", new Response("Bad Gateway", { status: 502 }), /502.*Bad Gateway/],
    ["nesting beyond any stack", new Response("[".repeat(5_000_000)), /no JSON/],
  ] as const)("%s is malformed", async ([, answer, message]) => {
    const { fetch } = scripted(answer);
    const call = new PlatformClient({ ...options, fetch }).listDevices();
    await expect(call).rejects.toThrow(message);
    await expect(call).rejects.toMatchObject({ code: "ERR_CLIENT_MALFORMED" });
  });

  test("an answer without end is not read to its end", async () => {
    let cancelled = false;
    const endless = new ReadableStream({
      pull: (controller) => controller.enqueue(new Uint8Array(1_000)),
      cancel: () => {
        cancelled = true;
      },
    });
    const { fetch } = scripted(new Response(endless));
    const call = new PlatformClient({ ...options, fetch, maxAnswerBytes: 10_000 }).listDevices();
    await expect(call).rejects.toMatchObject({ code: "ERR_CLIENT_MALFORMED" });
    expect(cancelled).toBe(true);
  });
});

describe("time", () => {
  const silent = ((_url, init) =>
    new Promise((_resolve, reject) => {
      init?.signal?.addEventListener("abort", () => reject(init.signal?.reason));
    })) satisfies typeof globalThis.fetch;

  test("an answer that does not come is given up", async () => {
    const clock = new ManualClock();
    const call = new PlatformClient({ ...options, clock, fetch: silent }).listDevices();
    const rejected = expect(call).rejects.toMatchObject({ code: "ERR_CLIENT_TIMEOUT" });
    await clock.advance(30_000);
    await rejected;
    expect(clock.sleeping).toBe(0);
  });

  test("waiting that was asked for comes on top", async () => {
    const clock = new ManualClock();
    const client = new PlatformClient({ ...options, clock, fetch: silent });
    let ended = false;
    const call = client.getAssignment("a", { waitMs: 50_000 }).catch((error: unknown) => {
      ended = true;
      return error;
    });
    await clock.advance(79_999);
    expect(ended).toBe(false);
    await clock.advance(1);
    expect(await call).toMatchObject({ code: "ERR_CLIENT_TIMEOUT" });
  });

  test("the caller's signal ends it with the caller's reason", async () => {
    const abort = new AbortController();
    const clock = new ManualClock();
    const client = new PlatformClient({ ...options, clock, fetch: silent, retry: { attempts: 9 } });
    const call = client.listDevices({ signal: abort.signal });
    const reason = new Error("enough");
    abort.abort(reason);
    await expect(call).rejects.toBe(reason);
    await expect(client.listDevices({ signal: abort.signal })).rejects.toBe(reason);
    expect(clock.sleeping).toBe(0);
  });
});

describe("repetition", () => {
  const retry = { attempts: 3, jitter: 0 };
  const lost = new TypeError("fetch failed");

  test("there is none unless asked for", async () => {
    const { fetch, requests } = scripted(lost, json({ devices: [] }));
    const call = new PlatformClient({ ...options, fetch }).listDevices();
    await expect(call).rejects.toMatchObject({ code: "ERR_CLIENT_UNREACHABLE" });
    expect(requests).toHaveLength(1);
  });

  test("what may go away by itself is tried again, after growing pauses", async () => {
    const clock = new ManualClock();
    const { fetch, requests } = scripted(lost, problem(503, "ERR_X"), json({ devices: [] }));
    const call = new PlatformClient({ ...options, clock, fetch, retry }).listDevices();
    await clock.advance(1_000);
    expect(requests).toHaveLength(2);
    await clock.advance(2_000);
    expect(await call).toEqual([]);
  });

  test("what will not is told at once", async () => {
    const { fetch, requests } = scripted(problem(404, "ERR_X"));
    const call = new PlatformClient({ ...options, fetch, retry }).listDevices();
    await expect(call).rejects.toMatchObject({ status: 404 });
    expect(requests).toHaveLength(1);
  });

  test("a nonce is never shown twice, a stream never sent twice", async () => {
    const { fetch, requests } = scripted(lost, lost);
    const client = new PlatformClient({ ...options, fetch, retry });
    const request = { nonce: "n".repeat(16), signature: "0".repeat(128) };
    await expect(client.token("a", request)).rejects.toThrow();
    async function* body(): AsyncGenerator<Uint8Array> {
      yield new Uint8Array(3);
    }
    const upload = { body: body(), size: 3, sha256: "0".repeat(64) };
    await expect(client.putArchive("sha256:0", upload)).rejects.toThrow();
    expect(requests).toHaveLength(2);
  });
});

describe("the tokens of a device", () => {
  const challenge = () => json({ nonce: "nonce-0123456789" });
  const token = (text: string) => json({ token: text.padEnd(16, "-"), expiresInSeconds: 1_000 });
  const source = (fetch: typeof globalThis.fetch, clock: ManualClock) =>
    deviceTokens({
      client: new PlatformClient({ ...options, clock, fetch }),
      device: "robot-1",
      sign: (text) => Buffer.from(text).toString("hex").padEnd(128, "0").slice(0, 128),
      clock,
    });

  test("one is fetched for all who ask, and replaced at 90 % of its life", async () => {
    const clock = new ManualClock();
    const { fetch, requests } = scripted(challenge(), token("one"), challenge(), token("two"));
    const tokens = source(fetch, clock);
    expect(await Promise.all([tokens({}), tokens({})])).toEqual(
      Array(2).fill("one".padEnd(16, "-")),
    );
    await clock.advance(899_999);
    expect(await tokens({})).toMatch(/^one/);
    await clock.advance(1);
    expect(await tokens({})).toMatch(/^two/);
    expect(requests.map(({ url }) => url.split("/").at(-1))).toEqual([
      "challenge",
      "token",
      "challenge",
      "token",
    ]);
    expect(requests.every((request) => request.token === null)).toBe(true);
  });

  test("one that is refused is replaced, and the call made once more", async () => {
    const clock = new ManualClock();
    const issuing = scripted(challenge(), token("one"), challenge(), token("two"));
    const calls = scripted(
      problem(401, "ERR_PLATFORM_UNAUTHENTICATED"),
      new Response(null, { status: 204 }),
    );
    const client = new PlatformClient({
      ...options,
      fetch: calls.fetch,
      token: source(issuing.fetch, clock),
    });
    expect(await client.getAssignment("robot-1")).toEqual({ kind: "none" });
    expect(calls.requests.map((request) => request.token?.slice(0, 10))).toEqual([
      "Bearer one",
      "Bearer two",
    ]);
  });

  test("a device that was revoked does not ask in a circle", async () => {
    const clock = new ManualClock();
    const issuing = scripted(
      challenge(),
      token("one"),
      challenge(),
      problem(401, "ERR_PLATFORM_PROOF"),
    );
    const calls = scripted(problem(401, "ERR_PLATFORM_UNAUTHENTICATED"));
    const client = new PlatformClient({
      ...options,
      fetch: calls.fetch,
      token: source(issuing.fetch, clock),
    });
    await expect(client.getAssignment("robot-1")).rejects.toMatchObject({
      problem: { code: "ERR_PLATFORM_PROOF" },
    });
    expect(calls.requests).toHaveLength(1);
  });

  test("a failed renewal is forgotten; one caller's signal does not end it for others", async () => {
    const clock = new ManualClock();
    const { fetch } = scripted(new TypeError("fetch failed"), challenge(), token("one"));
    const tokens = source(fetch, clock);
    await expect(tokens({})).rejects.toMatchObject({ code: "ERR_CLIENT_UNREACHABLE" });
    const abort = new AbortController();
    const left = tokens({ signal: abort.signal });
    const stayed = tokens({});
    abort.abort(new Error("off"));
    await expect(left).rejects.toThrow("off");
    expect(await stayed).toMatch(/^one/);
  });
});

test("reports go in pieces that the platform takes", async () => {
  const digest = `sha256:${"a".repeat(64)}` as const;
  const deployment = { name: "d", version: "1.0.0", digest };
  const of = (seq: number, message = ""): Report => ({
    ...{ seq, at: 1, state: "trial", assignment: 1, deployment, message },
  });
  const reports = Array.from({ length: 150 }, (_, index) =>
    of(index + 1, index < 2 ? "é".repeat(300_000) : ""),
  );
  const { fetch, requests } = scripted(
    ...[1, 101, 150].map((acknowledged) => json({ acknowledged })),
  );
  const client = new PlatformClient({ ...options, fetch });
  expect(await client.sendReports("a", reports)).toBe(150);
  const counts = requests.map(({ init }) => JSON.parse(String(init.body)).reports.length as number);
  expect(counts).toEqual([1, 100, 49]);
  expect(await client.sendReports("a", [])).toBe(0);
});

test("a watch whose wish to wait is not heard does not hurry", async () => {
  const clock = new ManualClock();
  const { fetch, requests } = scripted(json({ reports: [] }), json({ reports: [] }));
  const watch = new PlatformClient({ ...options, clock, fetch }).watchReports("a");
  const next = watch.next().catch((error: unknown) => error);
  await clock.advance(999);
  expect(requests).toHaveLength(1);
  await clock.advance(1);
  expect(requests).toHaveLength(2);
  await clock.advance(1_000);
  expect(await next).toMatchObject({ code: "ERR_CLIENT_UNREACHABLE" });
});
