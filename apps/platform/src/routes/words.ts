import { z } from "@hono/zod-openapi";
import { problemSchema } from "@roboticks/spec/api";
import { envelopeSchema } from "@roboticks/spec/deployment";
import { digestSchema, nameSchema } from "@roboticks/spec/words";

/** Path of a device. */
export const deviceParams = z.strictObject({ project: nameSchema, device: nameSchema });

/** Path of a capsule. */
export const capsuleParams = z.strictObject({ project: nameSchema, digest: digestSchema });

/** Path of the project itself. */
export const projectParams = z.strictObject({ project: nameSchema });

/** Any JSON below `signed`; the generator of the API's description cannot follow it further. */
export const documentedEnvelope = envelopeSchema.extend({
  signed: envelopeSchema.shape.signed.meta({ type: "object" }),
});

export const problemAnswer = {
  description: "A problem, with its code.",
  content: { "application/json": { schema: problemSchema } },
};

/** An answer of JSON. */
export function json<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { "application/json": { schema } } };
}

/** A body of JSON. */
export function jsonBody<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { "application/json": { schema } } };
}
