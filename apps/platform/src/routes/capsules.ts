import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { capsuleListSchema, capsuleRecordSchema } from "@roboticks/spec/api";
import { capsuleManifestSchema } from "@roboticks/spec/capsule";
import { parseStrictJson } from "@roboticks/trust";
import { anyone, operator } from "../access.ts";
import { sendArchive } from "../archive-answer.ts";
import type { Context, Env } from "../context.ts";
import { PlatformError } from "../errors.ts";
import { announcedSha256, bytesOf, lengthOf, streamOf } from "../requests.ts";
import { sha256Hex } from "../secrets.ts";
import type { CapsuleEntry } from "../state.ts";
import { capsuleParams, json, problemAnswer, projectParams } from "./words.ts";

/** The longest manifest, in bytes; the same as the device's. */
const maxManifestBytes = 16 * 2 ** 20;

/** Capsules: pushed by operators, fetched by devices. */
export function capsuleRoutes(app: OpenAPIHono<Env>, context: Context): void {
  const { state, blobs, maxArchiveBytes, logger } = context;
  const bytes = { schema: { type: "string" as const, format: "binary" } };

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/projects/{project}/capsules",
      summary: "Capsules, by name and version",
      security: [{ operatorToken: [] }],
      middleware: [operator(context)] as const,
      request: {
        params: projectParams,
        query: capsuleRecordSchema.pick({ name: true, version: true }).partial(),
      },
      responses: { 200: json(capsuleListSchema, "The capsules."), default: problemAnswer },
    }),
    async (c) => {
      const entries = await state.listCapsules(c.req.valid("query"));
      const capsules = entries.map(({ archive, ...entry }) =>
        capsuleRecordSchema.parse({ ...entry, ...(archive && { size: archive.size }) }),
      );
      return c.json({ capsules }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "put",
      path: "/v1/projects/{project}/capsules/{digest}",
      summary: "Push a manifest: exactly the bytes that the digest is of",
      security: [{ operatorToken: [] }],
      middleware: [operator(context)] as const,
      request: {
        params: capsuleParams,
        body: { required: true, content: { "application/json": bytes } },
      },
      responses: { 204: { description: "It is kept." }, default: problemAnswer },
    }),
    async (c) => {
      const { digest } = c.req.valid("param");
      const manifest = await bytesOf(c, maxManifestBytes);
      const { name, version } = manifestOf(manifest, digest);
      if ((await state.addCapsule({ digest, name, version }, manifest)) === "conflict") {
        throw new PlatformError(
          "ERR_PLATFORM_VERSION_EXISTS",
          `${name}@${version} is there with other contents; give this one another version`,
        );
      }
      logger.info({ capsule: `${name}@${version}`, digest }, "manifest kept");
      return c.body(null, 204);
    },
  );

  app.openapi(
    createRoute({
      method: "put",
      path: "/v1/projects/{project}/capsules/{digest}/archive",
      summary: "Upload the archive; needs Content-Length and Content-Digest (RFC 9530)",
      security: [{ operatorToken: [] }],
      middleware: [operator(context)] as const,
      request: {
        params: capsuleParams,
        body: { required: true, content: { "application/octet-stream": bytes } },
      },
      responses: { 204: { description: "It is kept." }, default: problemAnswer },
    }),
    async (c) => {
      const { name, version, digest, archive } = await existing(c.req.valid("param").digest);
      const expected = { size: lengthOf(c, maxArchiveBytes), sha256: announcedSha256(c) };
      if (archive && archive.sha256 !== expected.sha256) throw otherArchive(name, version);
      if (expected.size === 0) throw new PlatformError("ERR_PLATFORM_INVALID", "the body is empty");
      await blobs.put(expected, streamOf(c.env.incoming));
      const kept = await state.setArchive(digest, expected);
      if (kept.sha256 !== expected.sha256) throw otherArchive(name, version);
      logger.info({ capsule: `${name}@${version}`, size: expected.size }, "archive kept");
      return c.body(null, 204);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/projects/{project}/capsules/{digest}",
      summary: "The manifest, as it was pushed",
      security: deviceOrOperator,
      middleware: [anyone(context)] as const,
      request: { params: capsuleParams },
      responses: {
        200: { description: "The manifest; application/json." },
        default: problemAnswer,
      },
    }),
    async (c) => {
      const { digest } = c.req.valid("param");
      const manifest = await state.getManifest(digest);
      if (!manifest) throw unknownCapsule(digest);
      return c.body(new Uint8Array(manifest), 200, {
        "content-type": "application/json",
        etag: `"${digest}"`,
      });
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/projects/{project}/capsules/{digest}/archive",
      summary: "The archive; a single Range is served",
      security: deviceOrOperator,
      middleware: [anyone(context)] as const,
      request: { params: capsuleParams },
      responses: {
        200: { description: "All of it; application/octet-stream." },
        206: { description: "The range that was asked for." },
        default: problemAnswer,
      },
    }),
    async (c) => {
      const { name, version, archive } = await existing(c.req.valid("param").digest);
      if (!archive) {
        throw new PlatformError(
          "ERR_PLATFORM_NOT_FOUND",
          `the archive of ${name}@${version} was not uploaded yet`,
        );
      }
      return sendArchive(context, c, archive);
    },
  );

  const existing = async (digest: string): Promise<CapsuleEntry> => {
    const entry = await state.getCapsule(digest);
    if (!entry) throw unknownCapsule(digest);
    return entry;
  };
}

/** Either token will do. */
const deviceOrOperator: Record<string, string[]>[] = [{ deviceToken: [] }, { operatorToken: [] }];

/** The manifest in `bytes`, once they are what `digest` says and a manifest. */
function manifestOf(bytes: Uint8Array, digest: string): { name: string; version: string } {
  const found = `sha256:${sha256Hex(bytes)}`;
  if (found !== digest) {
    throw new PlatformError("ERR_PLATFORM_DIGEST", `the manifest has ${found}, not ${digest}`);
  }
  const parsed = capsuleManifestSchema.safeParse(
    parseStrictJson(bytes, { maxBytes: maxManifestBytes }),
  );
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new PlatformError(
    "ERR_PLATFORM_INVALID",
    `the manifest does not fit: ${issue?.path.join(".")}: ${issue?.message}`,
  );
}

function unknownCapsule(digest: string): PlatformError {
  return new PlatformError(
    "ERR_PLATFORM_NOT_FOUND",
    `there is no capsule ${digest}; push it first`,
  );
}

function otherArchive(name: string, version: string): PlatformError {
  return new PlatformError(
    "ERR_PLATFORM_ARCHIVE_EXISTS",
    `${name}@${version} has another archive already, and assignments may count on it; ` +
      "give this one another version",
  );
}
