import * as z from "zod";
import { deploymentStateSchema, labelSchema } from "./report.ts";
import { apiVersion, nameSchema, versionSchema } from "./words.ts";

/** A capsule of the running deployment, as the agent sees it now. */
export const localCapsuleSchema = z.strictObject({
  name: nameSchema.describe("Its use: the key in the deployment."),
  capsule: labelSchema,
  pid: z.int().min(1).optional().describe("Of its first process, while that runs."),
  state: z.string().max(64).describe("What its first process does: running, restarting or ended."),
  verdict: z.enum(["starting", "healthy", "degraded", "unhealthy", "unknown"]),
  restarts: z.int().min(0).describe("Since the deployment was activated."),
});

/** `GET /v1/status` on the agent's socket. */
export const agentStatusSchema = z.strictObject({
  apiVersion,
  version: versionSchema.describe("The agent's own."),
  device: nameSchema,
  pid: z.int().min(1),
  ready: z.boolean().describe("Whether it took up all that it found at its start."),
  platform: z
    .strictObject({ connected: z.boolean(), lastError: z.string().max(4096).optional() })
    .optional()
    .describe("Absent: local use only."),
  deployment: z
    .strictObject({
      running: labelSchema.optional(),
      latest: z
        .strictObject({
          deployment: labelSchema,
          state: deploymentStateSchema,
          message: z.string().max(4096).optional(),
        })
        .optional()
        .describe("The one that is under way; absent when none is."),
      previous: z.array(labelSchema).describe("Kept for a rollback, newest first."),
    })
    .optional(),
  capsules: z.array(localCapsuleSchema),
  trust: z
    .strictObject({
      rootVersion: z.int().min(1),
      pinned: z
        .enum(["dsn", "first-use"])
        .describe("Whether the root was named by the DSN, or the first one seen was believed."),
    })
    .optional()
    .describe("Absent until a root is known."),
});

/** `POST /v1/shutdown` on the agent's socket; answered with 202 before it ends. */
export const agentShutdownRequestSchema = z.strictObject({
  stopWorkloads: z.boolean().describe("Whether the workloads end too; else they run on."),
});

export type AgentStatus = z.output<typeof agentStatusSchema>;
export type AgentShutdownRequest = z.output<typeof agentShutdownRequestSchema>;
