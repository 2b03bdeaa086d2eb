import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { type Assignment, assignmentSchema, type Envelope } from "@roboticks/spec/deployment";
import { documentDigest, TrustError, verifyEnvelope } from "@roboticks/trust";
import { deviceItself, operator } from "../access.ts";
import type { Context, Env } from "../context.ts";
import { PlatformError } from "../errors.ts";
import { namesEtag, strictJson, waitMsOf } from "../requests.ts";
import { sha256Hex } from "../secrets.ts";
import { deviceParams, documentedEnvelope, json, jsonBody, problemAnswer } from "./words.ts";

/** The longest assignment, in bytes. */
const maxBytes = 4 * 2 ** 20;

/** What devices are to run: put by operators, signed by them; fetched by devices. */
export function assignmentRoutes(app: OpenAPIHono<Env>, context: Context): void {
  const { state, wakeups, logger } = context;

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/projects/{project}/devices/{device}/assignment",
      summary:
        "The newest assignment; with If-None-Match and Prefer: wait=N held until there is one",
      security: [{ deviceToken: [] }],
      middleware: [deviceItself(context)] as const,
      request: { params: deviceParams },
      responses: {
        200: json(documentedEnvelope, "The assignment, with an ETag."),
        204: { description: "There is none yet." },
        304: { description: "It is still the one that If-None-Match names." },
        default: problemAnswer,
      },
    }),
    async (c) => {
      const { device } = c.req.valid("param");
      const known = c.req.header("if-none-match");
      const news = await wakeups.waitFor(
        topicOf(device),
        waitMsOf(c),
        c.req.raw.signal,
        async () => {
          const envelope = (await state.getAssignment(device))?.envelope;
          return envelope !== undefined && !namesEtag(known, etagOf(envelope))
            ? envelope
            : undefined;
        },
      );
      if (news !== undefined) {
        return c.body(news, 200, { "content-type": "application/json", etag: etagOf(news) });
      }
      const same = await state.getAssignment(device);
      return same ? c.body(null, 304, { etag: etagOf(same.envelope) }) : c.body(null, 204);
    },
  );

  app.openapi(
    createRoute({
      method: "put",
      path: "/v1/projects/{project}/devices/{device}/assignment",
      summary: "Assign a deployment to the device; the same envelope again changes nothing",
      security: [{ operatorToken: [] }],
      middleware: [operator(context), strictJson(maxBytes)] as const,
      request: { params: deviceParams, body: jsonBody(documentedEnvelope) },
      responses: { 204: { description: "It is kept." }, default: problemAnswer },
    }),
    async (c) => {
      const { device } = c.req.valid("param");
      const envelope = c.req.valid("json");
      const assignment = verified(context, envelope);
      await refuseUnfit(context, assignment, device);
      const { name, version } = assignment.deployment;
      // Of what was signed, not of what the schema made of it: defaults would change the digest.
      const digest = documentDigest(envelope.signed.deployment ?? null);
      const text = JSON.stringify(envelope);
      const kept = await state.setAssignment(device, {
        version: assignment.version,
        deployment: { name, version, digest },
        envelope: text,
      });
      const current = kept === "old" ? await state.getAssignment(device) : undefined;
      if (current && current.envelope !== text) {
        throw new PlatformError(
          "ERR_PLATFORM_ASSIGNMENT_OLD",
          `${device} has assignment ${current.version} already, this one is ${assignment.version}; ` +
            "sign it again with a higher version",
        );
      }
      if (kept === "kept") {
        logger.info({ device, assignment: assignment.version, digest }, "assignment kept");
        wakeups.wake(topicOf(device));
      }
      return c.body(null, 204);
    },
  );
}

/** What was signed, once the signatures hold and it is an assignment. */
function verified({ root }: Context, envelope: Envelope): Assignment {
  let signed: unknown;
  try {
    signed = verifyEnvelope(envelope, root, "assignment");
  } catch (cause) {
    if (!(cause instanceof TrustError)) throw cause;
    throw new PlatformError(
      "ERR_PLATFORM_SIGNATURE",
      `the assignment is not signed as the root of trust asks: ${cause.message}`,
      { cause },
    );
  }
  const parsed = assignmentSchema.safeParse(signed);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw unfit(`signed.${issue?.path.join(".")}: ${issue?.message}`);
}

/** Refuses an assignment that `device` could not, or should not, carry out. */
async function refuseUnfit(
  { project, state, clock }: Context,
  assignment: Assignment,
  device: string,
): Promise<void> {
  if (assignment.project !== project) {
    throw unfit(`it is for project ${assignment.project}, this is ${project}`);
  }
  if (!assignment.devices.includes(device)) throw unfit(`it does not name ${device}`);
  if (Date.parse(assignment.expires) <= clock.now()) throw unfit(`it ended ${assignment.expires}`);
  if (!(await state.getDevice(device))) {
    throw new PlatformError("ERR_PLATFORM_NOT_FOUND", `there is no device ${device}; enroll it`);
  }
  const missing: string[] = [];
  for (const { capsule } of Object.values(assignment.deployment.capsules)) {
    const entry = await state.getCapsule(capsule.digest);
    const label = `${capsule.name}@${capsule.version}`;
    if (!entry) missing.push(`${label} (${capsule.digest})`);
    else if (entry.name !== capsule.name || entry.version !== capsule.version) {
      missing.push(`${label}: ${capsule.digest} is ${entry.name}@${entry.version}`);
    } else if (!entry.archive) missing.push(`the archive of ${label}`);
    else if (entry.archive.size !== capsule.size) {
      missing.push(`${label} of ${capsule.size} bytes: the archive here has ${entry.archive.size}`);
    }
  }
  if (missing.length > 0) {
    throw new PlatformError(
      "ERR_PLATFORM_CAPSULE_MISSING",
      `not on the platform: ${missing.join(", ")}; push them first`,
    );
  }
}

function unfit(why: string): PlatformError {
  return new PlatformError("ERR_PLATFORM_ASSIGNMENT", `the assignment cannot be taken: ${why}`);
}

function topicOf(device: string): string {
  return `assignment of ${device}`;
}

function etagOf(envelope: string): string {
  return `"${sha256Hex(envelope)}"`;
}
