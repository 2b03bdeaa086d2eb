import type { Clock } from "@roboticks/core";
import type { Check, CheckResult } from "../check.ts";
import { HealthError } from "../errors.ts";
import type { CheckOptions } from "../options.ts";
import { longestBody, ResponseReader } from "./http-response.ts";
import { type Address, checkedPort, converse } from "./socket.ts";

/** So many characters of a body are quoted as evidence. */
const longestQuote = 200;
/** A bad status is bad without its body: for the quote we wait no longer than this. */
const quoteWaitMs = 250;

/** Options of {@link http}. */
export interface HttpOptions extends CheckOptions {
  /** `http://host:port/path?query`. Redirects are not followed. */
  readonly url: string;
  /** Default `GET`. */
  readonly method?: "GET" | "HEAD" | "POST";
  /** Sent beside, or in place of, `host`, `user-agent`, `accept` and `accept-encoding`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The status, or those, that pass. Default 200 to 299. */
  readonly expectStatus?: number | readonly number[];
  /** Text that has to stand in the first 64 kB of the body. Default: the body is not read. */
  readonly expectBody?: string;
  /** Default `http`. */
  readonly name?: string;
}

interface Expectation {
  readonly accepts: (status: number) => boolean;
  readonly body: string | undefined;
}

/**
 * Passes when a request is answered as expected. Each run is a connection of its own, over a
 * plain socket: much cheaper than a whole HTTP client, and nothing is pooled.
 *
 * @throws {HealthError} `ERR_HEALTH_UNSUPPORTED` for https and credentials in the URL,
 *   `ERR_HEALTH_INVALID_OPTION` for what is no URL, method, header or status
 */
export function http({
  url,
  method = "GET",
  headers = {},
  expectStatus,
  expectBody,
  name = "http",
  ...options
}: HttpOptions): Check {
  const parsed = parseUrl(url);
  const address: Address = {
    host: parsed.hostname.replace(/^\[|\]$/g, ""),
    port: checkedPort(parsed.port === "" ? 80 : Number(parsed.port)),
  };
  const request = buildRequest(parsed, method, headers);
  const expected = { accepts: acceptedStatus(expectStatus), body: expectBody };
  return {
    name,
    kind: "http",
    options,
    run: ({ signal, clock }) => ask({ address, request, method, expected }, signal, clock),
  };
}

function ask(
  {
    address,
    request,
    method,
    expected,
  }: {
    readonly address: Address;
    readonly request: Buffer;
    readonly method: string;
    readonly expected: Expectation;
  },
  signal: AbortSignal,
  clock: Clock,
): Promise<CheckResult> {
  let quote: AbortController | undefined;
  return converse(address, signal, (socket, finish) => {
    const reader = new ResponseReader({ method });
    const evaluate = (last: boolean): void => {
      const result = evaluateResponse(reader, expected, last);
      if (result) finish(result);
      if (result || quote || reader.status === 0 || expected.accepts(reader.status)) return;
      quote = new AbortController();
      clock.sleep(quoteWaitMs, { signal: quote.signal }).then(
        () => evaluate(true),
        () => {}, // the run ended first
      );
    };
    socket.on("data", (bytes) => {
      reader.push(bytes);
      evaluate(false);
    });
    socket.on("end", () => {
      reader.end();
      evaluate(true);
    });
    socket.on("error", () => {
      // What was read before a reset still counts where it decides.
      if (reader.status > 0) evaluate(true);
    });
    socket.write(request);
  }).finally(() => quote?.abort());
}

/** The result as soon as it is certain; with `last`, from what there is. */
function evaluateResponse(
  reader: ResponseReader,
  { accepts, body }: Expectation,
  last: boolean,
): CheckResult | undefined {
  const ended = last || reader.stage === "complete" || reader.stage === "malformed";
  if (reader.status === 0) {
    return reader.stage === "malformed" ? { status: "fail", reason: reader.problem } : undefined;
  }
  if (!accepts(reader.status)) {
    const quote = quoteOf(reader.body);
    if (!ended && quote.length < longestQuote) return undefined;
    return { status: "fail", reason: describeStatus(reader, quote) };
  }
  if (body === undefined || reader.body.includes(body)) return { status: "pass" };
  if (reader.stage === "malformed") return { status: "fail", reason: reader.problem };
  if (reader.stage !== "complete") return undefined;
  const part = reader.body.length >= longestBody ? `the first ${longestBody / 1024} kB of ` : "";
  const wanted = JSON.stringify(body.slice(0, longestQuote));
  const got = JSON.stringify(quoteOf(reader.body));
  return { status: "fail", reason: `${part}the body does not contain ${wanted}: ${got}` };
}

function describeStatus({ status, statusText }: ResponseReader, quote: string): string {
  if (quote !== "") return `${status}: ${quote}`;
  return `${status} ${quoteOf(Buffer.from(statusText, "latin1"))}`.trimEnd();
}

/** The beginning of a body as one harmless line. */
function quoteOf(body: Buffer): string {
  return body
    .toString("utf8", 0, longestQuote * 4)
    .replace(/[\p{Cc}\p{Cf}\s]+/gu, " ")
    .trim()
    .slice(0, longestQuote)
    .toWellFormed();
}

function parseUrl(text: string): URL {
  const url = URL.parse(text);
  if (!url) {
    throw invalid(`${JSON.stringify(text)} is no URL; it looks like http://127.0.0.1:8080/health`);
  }
  if (url.protocol !== "http:") {
    throw new HealthError(
      "ERR_HEALTH_UNSUPPORTED",
      `${url.protocol} URLs cannot be checked; only http:// is supported, as in http://127.0.0.1/`,
    );
  }
  if (url.username !== "" || url.password !== "") {
    throw new HealthError(
      "ERR_HEALTH_UNSUPPORTED",
      `the URL of ${url.host} holds credentials; send an authorization header in place of them`,
    );
  }
  return url;
}

function buildRequest(url: URL, method: string, headers: Readonly<Record<string, string>>): Buffer {
  if (!["GET", "HEAD", "POST"].includes(method)) {
    throw invalid(`${JSON.stringify(method)} is not one of the methods GET, HEAD and POST`);
  }
  const fields = new Map([
    ["host", url.host],
    ["user-agent", "roboticks-health"],
    ["accept", "*/*"],
    ["accept-encoding", "identity"],
  ]);
  for (const [name, value] of Object.entries(headers)) {
    const key = name.toLowerCase();
    if (["connection", "content-length", "transfer-encoding"].includes(key)) {
      throw invalid(`the header ${key} cannot be set; the check sends its own`);
    }
    // A line break in a header would be a second request.
    if (!/^[!#$%&'*+.^_`|~0-9a-z-]+$/.test(key) || !/^[\t\x20-\x7e\x80-\xff]*$/.test(value)) {
      throw invalid(`the header ${JSON.stringify(name)} has a character that no header may have`);
    }
    fields.set(key, value);
  }
  fields.set("connection", "close");
  if (method === "POST") fields.set("content-length", "0");
  const lines = [...fields].map(([name, value]) => `${name}: ${value}\r\n`).join("");
  return Buffer.from(`${method} ${url.pathname}${url.search} HTTP/1.1\r\n${lines}\r\n`, "latin1");
}

function acceptedStatus(
  expected: number | readonly number[] | undefined,
): (status: number) => boolean {
  if (expected === undefined) return (status) => status >= 200 && status < 300;
  const accepted = typeof expected === "number" ? [expected] : expected;
  const wrong = accepted.find(
    (status) => !Number.isInteger(status) || status < 101 || status > 999,
  );
  if (wrong !== undefined || accepted.length === 0) {
    throw invalid(`expectStatus ${wrong ?? "[]"} is never answered; give a status such as 200`);
  }
  return (status) => accepted.includes(status);
}

function invalid(message: string): HealthError {
  return new HealthError("ERR_HEALTH_INVALID_OPTION", message);
}
