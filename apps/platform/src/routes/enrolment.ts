import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import {
  challengeResponseSchema,
  enrollRequestSchema,
  enrollResponseSchema,
  enrollStatement,
  type PublicKeyDocument,
  tokenRequestSchema,
  tokenResponseSchema,
  tokenStatement,
} from "@roboticks/spec/api";
import { verifyBytes } from "@roboticks/trust";
import { enroller } from "../access.ts";
import type { Context, Env } from "../context.ts";
import { PlatformError } from "../errors.ts";
import { strictJson } from "../requests.ts";
import { makeSecret, sha256Hex } from "../secrets.ts";
import {
  deviceParams,
  documentedEnvelope,
  json,
  jsonBody,
  problemAnswer,
  projectParams,
} from "./words.ts";

/** How a device becomes known and gets its tokens. */
export function enrolmentRoutes(app: OpenAPIHono<Env>, context: Context): void {
  const { project, state, nonces, clock, logger, rootEnvelope, deviceTokenLifeMs } = context;

  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/projects/{project}/devices",
      summary: "Enroll a device; the same key again is answered the same",
      security: [{ dsnKey: [] }],
      middleware: [enroller(context), strictJson()] as const,
      request: { params: projectParams, body: jsonBody(enrollRequestSchema) },
      responses: {
        200: json(enrollResponseSchema.extend({ root: documentedEnvelope }), "It is enrolled."),
        default: problemAnswer,
      },
    }),
    async (c) => {
      const { name, publicKey, proof } = c.req.valid("json");
      const statement = enrollStatement(project, name, publicKey.keyval.public);
      if (!holds(publicKey, statement, proof)) throw proofFailed();
      const kept = await state.addDevice({ name, publicKey, enrolledAt: clock.now() });
      if (kept.publicKey.keyval.public !== publicKey.keyval.public) {
        throw new PlatformError(
          "ERR_PLATFORM_DEVICE_EXISTS",
          `${name} is enrolled with another key; give this device another name`,
        );
      }
      logger.info({ device: name }, "device enrolled");
      return c.json({ device: name, root: rootEnvelope }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/projects/{project}/devices/{device}/challenge",
      summary: "A nonce to sign, good once and for 60 s",
      request: { params: deviceParams },
      responses: { 200: json(challengeResponseSchema, "The nonce."), default: problemAnswer },
    }),
    async (c) => {
      const { device } = c.req.valid("param");
      return c.json({ nonce: nonces.make(device) }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/projects/{project}/devices/{device}/token",
      summary: "A token for the device that signed a nonce",
      middleware: [strictJson()] as const,
      request: { params: deviceParams, body: jsonBody(tokenRequestSchema) },
      responses: { 200: json(tokenResponseSchema, "The token."), default: problemAnswer },
    }),
    async (c) => {
      const { device: name } = c.req.valid("param");
      const { nonce, signature } = c.req.valid("json");
      const device = await state.getDevice(name);
      const statement = tokenStatement(project, name, nonce);
      const proven =
        device !== undefined &&
        nonces.isGood(name, nonce) &&
        holds(device.publicKey, statement, signature);
      if (!proven) throw proofFailed();
      const spent = nonces.use(name, nonce);
      if (spent === "replayed") throw proofFailed();
      if (spent === "busy") {
        throw new PlatformError("ERR_PLATFORM_BUSY", `${name} asks for too many tokens; wait`);
      }
      const token = makeSecret();
      const now = clock.now();
      const expiresAt = now + deviceTokenLifeMs;
      await state.addToken({ hash: sha256Hex(token), device: name, expiresAt }, now);
      return c.json({ token, expiresInSeconds: Math.floor(deviceTokenLifeMs / 1_000) }, 200);
    },
  );
}

function holds(key: PublicKeyDocument, statement: string, signature: string): boolean {
  return verifyBytes(key, Buffer.from(statement), signature);
}

/** One answer for an unknown device, a wrong key and an old nonce: a stranger learns nothing. */
function proofFailed(): PlatformError {
  return new PlatformError(
    "ERR_PLATFORM_PROOF",
    "the signature is not that of an enrolled device over a fresh nonce or the enrolment; " +
      "take a new nonce, or enroll",
  );
}
