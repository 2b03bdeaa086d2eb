import * as z from "zod";
import { apiVersion, durationSchema, nameSchema, variablesSchema } from "./words.ts";

/** `/etc/roboticks/agent.yaml`: what the agent must know before it can ask anyone. */
export const agentSettingsSchema = z.strictObject({
  $schema: z.string().optional(),
  apiVersion,
  kind: z.literal("AgentSettings"),
  name: nameSchema.describe("The device's name in its project."),
  dsnFile: z
    .string()
    .min(1)
    .optional()
    .describe("A file of mode 0600 that holds the DSN. Left out: no platform, local use only."),
  root: z.string().min(1).default("/var/lib/roboticks").describe("The agent's durable folder."),
  run: z
    .string()
    .min(1)
    .default("/run/roboticks")
    .describe("Sockets and process records; rebuilt at boot."),
  log: z
    .strictObject({ level: z.enum(["debug", "info", "warn", "error"]).default("info") })
    .prefault({}),
  poll: z
    .strictObject({
      wait: durationSchema
        .default("50s")
        .describe("How long the platform may hold a request open."),
    })
    .prefault({}),
  overrides: z
    .record(nameSchema, variablesSchema)
    .default({})
    .describe("Environment variables by use of a capsule; they go over what a deployment says."),
});

export type AgentSettings = z.output<typeof agentSettingsSchema>;
