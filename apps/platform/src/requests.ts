import type { IncomingMessage } from "node:http";
import { parseStrictJson } from "@roboticks/trust";
import type { Context as HonoContext, MiddlewareHandler } from "hono";
import type { Env } from "./context.ts";
import { PlatformError } from "./errors.ts";

/** The longest that a request is held open, in ms. */
const longestWaitMs = 60_000;

/** How long the client is willing to wait: `Prefer: wait=SECONDS` (RFC 7240); else 0. */
export function waitMsOf(c: HonoContext<Env>): number {
  const seconds = /(?:^|[,\s])wait=(\d{1,6})(?:$|[,;\s])/.exec(c.req.header("prefer") ?? "")?.[1];
  return Math.min(Number(seconds ?? 0) * 1_000, longestWaitMs);
}

/** Whether an `If-None-Match` names `etag`. */
export function namesEtag(header: string | undefined, etag: string): boolean {
  if (header === undefined) return false;
  return header.split(",").some((tag) => ["*", etag, `W/${etag}`].includes(tag.trim()));
}

/** The length that the request announces; bodies without one are not taken. */
export function lengthOf(c: HonoContext<Env>, maxBytes: number): number {
  const length = c.req.header("content-length");
  if (length === undefined || !/^\d{1,15}$/.test(length)) {
    throw new PlatformError(
      "ERR_PLATFORM_LENGTH_REQUIRED",
      "a body is taken with a Content-Length only",
    );
  }
  if (Number(length) > maxBytes) {
    throw new PlatformError(
      "ERR_PLATFORM_TOO_LARGE",
      `the body has ${length} bytes; ${maxBytes} are taken here at the most`,
    );
  }
  return Number(length);
}

/** The body of the request as bytes, `maxBytes` at the most. */
export async function bytesOf(c: HonoContext<Env>, maxBytes: number): Promise<Uint8Array> {
  lengthOf(c, maxBytes); // Node's parser keeps a body to its announced length
  try {
    return new Uint8Array(await c.req.arrayBuffer());
  } catch (cause) {
    throw new PlatformError("ERR_PLATFORM_TRUNCATED", "the body ended early; send it again", {
      cause,
    });
  }
}

/**
 * Reads the body and refuses JSON that parsers understand differently (duplicate keys,
 * `__proto__`, too deep) before the route's schema sees it.
 */
export function strictJson(maxBytes = 2 ** 20): MiddlewareHandler<Env> {
  return async (c, next) => {
    parseStrictJson(await bytesOf(c, maxBytes), { maxBytes });
    await next();
  };
}

/** The body as it comes in. Ends with an error where the connection does; leaves that open. */
export async function* streamOf(incoming: IncomingMessage): AsyncGenerator<Uint8Array, void> {
  try {
    // Not destroyed when it is refused in the middle: the answer goes through the same socket.
    yield* incoming.iterator({ destroyOnReturn: false });
  } catch (cause) {
    throw new PlatformError(
      "ERR_PLATFORM_TRUNCATED",
      "the connection ended in the middle of the body; nothing was kept, send it again",
      { cause },
    );
  }
}

/**
 * The sha256 that the request announces, hex, in RFC 9530's `Content-Digest: sha-256=:BASE64:`.
 */
export function announcedSha256(c: HonoContext<Env>): string {
  const header = c.req.header("content-digest") ?? "";
  const base64 = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):\s*(?:$|,)/.exec(header)?.[1];
  if (base64 === undefined) {
    throw new PlatformError(
      "ERR_PLATFORM_INVALID",
      "the upload needs a header Content-Digest: sha-256=:BASE64: (RFC 9530)",
    );
  }
  return Buffer.from(base64, "base64").toString("hex");
}

/** What `Range: bytes=…` asks of `size` bytes: one part, or everything for any other form. */
export function rangeOf(
  header: string | undefined,
  size: number,
): { readonly first: number; readonly last: number } | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "");
  if (!match || (match[1] === "" && match[2] === "")) return undefined;
  const [, from = "", to = ""] = match;
  const first = from === "" ? Math.max(0, size - Number(to)) : Number(from);
  const last = from === "" || to === "" ? size - 1 : Math.min(Number(to), size - 1);
  if (from !== "" && to !== "" && Number(to) < Number(from)) return undefined; // not a range at all
  if (first > last) {
    throw new PlatformError("ERR_PLATFORM_RANGE", `bytes ${header} are not there; it has ${size}`);
  }
  return { first, last };
}
