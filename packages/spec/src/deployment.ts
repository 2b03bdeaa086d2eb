import * as z from "zod";
import { capsuleReferenceSchema } from "./capsule.ts";
import {
  apiVersion,
  digestSchema,
  durationSchema,
  nameSchema,
  timeSchema,
  unsupported,
  variablesSchema,
  versionSchema,
} from "./words.ts";

/** A port, or `${NAME}`: the value that the capsule's environment gives NAME on this device. */
const portError = { error: `a port is 1 to 65535, or "\${NAME}" of the capsule's environment` };
const portSchema = z.union(
  [
    z.int().min(1, portError).max(65_535, portError),
    z.string().regex(/^\$\{[A-Za-z_][A-Za-z0-9_]*\}$/, portError),
  ],
  portError,
);

/** Times and thresholds of a check; DESIGN says where the defaults come from. */
const timing = {
  interval: durationSchema.default("10s"),
  timeout: durationSchema.default("3s"),
  startPeriod: durationSchema
    .default("60s")
    .describe("Failures do not count in it; the first success ends it."),
  successThreshold: z.int().min(1).max(100).default(1),
  failureThreshold: z.int().min(1).max(100).default(3),
};

/** One check of `health:`; exactly one of `http`, `tcp`, `process`. */
export const healthCheckSchema = z
  .strictObject({
    http: z
      .strictObject({
        port: portSchema,
        path: z
          .string()
          .regex(/^\/[\x21-\x7e]*$/, { error: "a path begins with /" })
          .default("/"),
        status: z.int().min(100).max(599).optional().describe("Default: any of 200 to 299."),
        contains: z.string().min(1).max(1024).optional().describe("Text the body must hold."),
        ...timing,
      })
      .optional(),
    tcp: z.strictObject({ port: portSchema, ...timing }).optional(),
    process: z.strictObject({ ...timing }).optional(),
    exec: unsupported,
    plugin: unsupported,
  })
  .refine((check) => [check.http, check.tcp, check.process].filter(Boolean).length === 1, {
    error: "a check is exactly one of http, tcp, process",
  })
  .meta({ oneOf: [{ required: ["http"] }, { required: ["tcp"] }, { required: ["process"] }] });

export type HealthCheck = z.output<typeof healthCheckSchema>;

const health = z
  .array(healthCheckSchema)
  .max(32)
  .default([])
  .describe("Beside these, its processes are always watched.");

const activation = z
  .strictObject({
    strategy: z.literal("replace").default("replace"),
    when: unsupported,
    inhibit: unsupported,
    minHealthyTime: durationSchema
      .default("10s")
      .describe("How long everything must be healthy without a break."),
    healthyDeadline: durationSchema
      .default("5m")
      .describe("By when it must have been; else the device goes back."),
    probation: durationSchema
      .default("30m")
      .describe("How long after that a crash loop or lasting failure still goes back."),
    progressDeadline: durationSchema
      .default("10m")
      .describe(
        "After so long without being staged the waiting is reported again; it goes on trying.",
      ),
  })
  .prefault({});

const common = {
  apiVersion,
  kind: z.literal("Deployment"),
  name: nameSchema,
  version: versionSchema,
  activation,
};

const someCapsule = { error: "a deployment names at least one capsule" };

/** `deployment.yaml`, as a vendor writes it. */
export const deploymentSourceSchema = z.strictObject({
  $schema: z.string().optional(),
  ...common,
  capsules: z
    .record(
      nameSchema,
      z.strictObject({
        capsule: capsuleReferenceSchema.describe("Name and version; signing pins the digest."),
        environment: z
          .string()
          .min(1)
          .optional()
          .describe("A file of kind Environment, relative to this one."),
        health,
      }),
    )
    .refine((capsules) => Object.keys(capsules).length > 0, someCapsule)
    .meta({ minProperties: 1 }),
  compositions: unsupported,
  bridge: unsupported,
});

export type DeploymentSource = z.output<typeof deploymentSourceSchema>;

/** One use of a capsule in a deployment, everything pinned. */
export const capsuleUseSchema = z.strictObject({
  capsule: z.strictObject({
    name: nameSchema,
    version: versionSchema,
    digest: digestSchema.describe("Of the capsule's manifest."),
    size: z.int().min(1).describe("Bytes of its archive."),
  }),
  environment: variablesSchema,
  health,
});

export type CapsuleUse = z.output<typeof capsuleUseSchema>;

/**
 * A deployment as it is signed: nothing is read from anywhere else. The digest of its canonical
 * JSON is its identity; `version` is a label.
 */
export const deploymentSchema = z.strictObject({
  ...common,
  capsules: z
    .record(nameSchema, capsuleUseSchema)
    .refine((capsules) => Object.keys(capsules).length > 0, someCapsule)
    .meta({ minProperties: 1 }),
});

export type Deployment = z.output<typeof deploymentSchema>;

/**
 * The order that an operator signs: *these devices get exactly this deployment*. `version` only
 * ever grows for a device; an older one is refused, and none is taken after `expires`.
 */
export const assignmentSchema = z.strictObject({
  _type: z.literal("assignment"),
  project: nameSchema,
  devices: z.array(nameSchema).min(1).max(100_000),
  version: z.int().min(1),
  expires: timeSchema,
  retry: z
    .boolean()
    .default(false)
    .describe("Asks a device to try a deployment again that failed on it before."),
  deployment: deploymentSchema,
});

export type Assignment = z.output<typeof assignmentSchema>;

/** Anything signed, in the form of TUF 1.0; whether the signatures hold is for `trust` to say. */
export const envelopeSchema = z.strictObject({
  signed: z.record(z.string(), z.json()),
  signatures: z
    .array(
      z.strictObject({
        keyid: z.string().regex(/^[0-9a-f]{64}$/),
        sig: z.string().regex(/^[0-9a-f]{128}$/),
      }),
    )
    .max(16),
});

export type Envelope = z.output<typeof envelopeSchema>;
