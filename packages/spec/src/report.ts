import * as z from "zod";
import { digestSchema, nameSchema, versionSchema } from "./words.ts";

/** Why something did not work out, with the evidence. */
export const causeSchema = z.strictObject({
  code: z.string().max(64).describe("Stable: an error's code, or that of a verdict."),
  message: z.string().max(4096),
  target: z.string().max(256).optional().describe("Whose check it was: the use of a capsule."),
  check: z.string().max(256).optional().describe("The check that failed."),
  lastLines: z
    .array(z.string().max(2_048))
    .max(50)
    .default([])
    .describe("Of its log, oldest first."),
});

export type Cause = z.output<typeof causeSchema>;

/**
 * Where a deployment stands on a device.
 *
 *     accepted → staging → activating → trial → probation → committed
 *         └────────┴──────────┴──────────┴─────────┴─→ undoing → reverted | superseded
 *     refused: never begun
 */
export const deploymentStateSchema = z.enum([
  "refused",
  "accepted",
  "staging",
  "activating",
  "trial",
  "probation",
  "committed",
  "undoing",
  "reverted",
  "superseded",
]);

export type DeploymentStateName = z.output<typeof deploymentStateSchema>;

/** A deployment or a capsule as people name it, and what it is. */
export const labelSchema = z.strictObject({
  name: nameSchema,
  version: versionSchema,
  digest: digestSchema,
});

export type Label = z.output<typeof labelSchema>;

/** What a device tells of a deployment; `seq` grows by one for each, so none is taken twice. */
export const reportSchema = z.strictObject({
  seq: z.int().min(1),
  at: z.int().min(0).describe("The device's wall time, ms since 1970; robots boot in 1970."),
  state: deploymentStateSchema,
  assignment: z.int().min(0).describe("Version of the assignment that asked for it."),
  deployment: labelSchema,
  running: labelSchema.optional().describe("What the device runs now."),
  message: z.string().max(4096).optional().describe("The same in words."),
  cause: causeSchema.optional(),
});

export type Report = z.output<typeof reportSchema>;
