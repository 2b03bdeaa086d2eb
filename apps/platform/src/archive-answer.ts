import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import type { Context as HonoContext } from "hono";
import type { Context, Env } from "./context.ts";
import { rangeOf } from "./requests.ts";
import type { ArchiveEntry } from "./state.ts";

/**
 * Sends an archive, or the one range of it that was asked for, on Node's own response: a blob
 * that breaks in the middle then ends the connection, and never looks like the end of the body.
 */
export async function sendArchive(
  { blobs, logger }: Context,
  c: HonoContext<Env>,
  { sha256, size }: ArchiveEntry,
): Promise<Response> {
  const etag = `"sha256-${sha256}"`;
  const condition = c.req.header("if-range");
  const unchanged = condition === undefined || condition === etag;
  const range = unchanged ? rangeOf(c.req.header("range"), size) : undefined;
  const { outgoing } = c.env;
  outgoing.writeHead(range ? 206 : 200, {
    "content-type": "application/octet-stream",
    "content-length": range ? range.last - range.first + 1 : size,
    "accept-ranges": "bytes",
    etag,
    "repr-digest": `sha-256=:${Buffer.from(sha256, "hex").toString("base64")}:`,
    ...(range && { "content-range": `bytes ${range.first}-${range.last}/${size}` }),
  });
  if (c.req.method === "HEAD") outgoing.end();
  else {
    try {
      await pipeline(Readable.from(blobs.read(sha256, range)), outgoing);
    } catch (error) {
      // Too late for a problem: the device sees a body that is short, and comes back.
      logger.warn({ error, sha256 }, "an archive was not sent to its end");
    }
  }
  return RESPONSE_ALREADY_SENT;
}
