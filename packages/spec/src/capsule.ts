import { parseDuration } from "@roboticks/core";
import * as z from "zod";
import {
  apiVersion,
  digestSchema,
  durationSchema,
  namePattern,
  nameSchema,
  variablesSchema,
  versionPattern,
  versionSchema,
} from "./words.ts";

/** A path inside the capsule, relative to its folder. What it may hold is judged by `archive`. */
const pathSchema = z.string().min(1).max(1024);

/** No program may keep what comes after it waiting for longer, in ms. */
const longestStopGraceMs = 300_000;

/** A program of a capsule. */
export const processSchema = z.strictObject({
  command: z
    .string()
    .min(1)
    .describe("The program: a path inside the capsule, or an absolute one on the device."),
  arguments: z.array(z.string()).default([]),
  environment: variablesSchema
    .default({})
    .describe("Set for this process; a deployment's environment goes over it."),
  restart: z
    .enum(["always", "on-failure", "never"])
    .default("always")
    .describe("When it is started again after it ended by itself."),
  stopSignal: z.enum(["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP"]).default("SIGTERM"),
  stopGrace: durationSchema
    .refine((text) => (parseDuration(text) ?? 0) <= longestStopGraceMs, {
      error: "at most 5m: so long it may keep its own update waiting",
    })
    .default("10s")
    .describe("From the stop signal until the whole process tree is killed."),
});

export type Process = z.output<typeof processSchema>;

const platformSchema = z.strictObject({
  os: z.enum(["linux", "darwin"]),
  arch: z.enum(["x64", "arm64"]),
});

const common = {
  $schema: z.string().optional(),
  apiVersion,
  kind: z.literal("Capsule"),
  name: nameSchema,
  version: versionSchema,
  description: z.string().max(1024).optional(),
  platforms: z
    .array(platformSchema)
    .min(1)
    .optional()
    .describe("Where it runs. Left out: anywhere (scripts)."),
  processes: z
    .record(nameSchema, processSchema)
    .refine((processes) => Object.keys(processes).length > 0, {
      error: "a capsule has at least one process",
    })
    .meta({ minProperties: 1 }),
};

/** `capsule.json` as a person writes it; `pack` adds the table of files. */
export const capsuleSourceSchema = z.strictObject({
  ...common,
  configuration: z
    .strictObject({
      schema: pathSchema.describe(
        "A JSON Schema (2020-12) file in the folder. It checks the environment variables.",
      ),
    })
    .optional(),
});

export type CapsuleSource = z.output<typeof capsuleSourceSchema>;

const fileSchema = z.strictObject({
  path: pathSchema,
  mode: z.enum(["0644", "0755"]),
  size: z.int().min(0),
  digest: digestSchema,
});
const linkSchema = z.strictObject({ path: pathSchema, link: z.string().min(1).max(1024) });

/**
 * The manifest: `capsule.json` as it travels, the first entry of the archive. It names every
 * file, so its digest *is* the capsule. `configuration.schema` is the JSON Schema itself.
 */
export const capsuleManifestSchema = z.strictObject({
  ...common,
  configuration: z.strictObject({ schema: z.record(z.string(), z.json()) }).optional(),
  files: z.array(z.union([fileSchema, linkSchema])),
});

export type CapsuleManifest = z.output<typeof capsuleManifestSchema>;

/** A capsule by label, as people write it: `navigation@1.4.2`. */
export const capsuleReferenceSchema = z
  .string()
  .refine(
    (text) => {
      const [name, version, ...more] = text.split("@");
      return (
        more.length === 0 &&
        nameSchema.safeParse(name).success &&
        versionSchema.safeParse(version).success
      );
    },
    { error: "a capsule is named like navigation@1.4.2" },
  )
  .meta({ pattern: `${namePattern.source.slice(0, -1)}@${versionPattern.source.slice(1)}` });
