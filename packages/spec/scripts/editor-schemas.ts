import * as z from "zod";
import { agentSettingsSchema } from "../src/agent.ts";
import { capsuleSourceSchema } from "../src/capsule.ts";
import { deploymentSourceSchema } from "../src/deployment.ts";
import { environmentSchema } from "../src/environment.ts";

/** What people write, and what an editor says above it. */
const documents = {
  agent: {
    schema: agentSettingsSchema,
    title: "Roboticks agent settings",
    description: "agent.yaml: what the agent must know before it can ask anyone.",
  },
  capsule: {
    schema: capsuleSourceSchema,
    title: "Roboticks capsule",
    description: "capsule.json beside a program; packing it adds the table of files.",
  },
  deployment: {
    schema: deploymentSourceSchema,
    title: "Roboticks deployment",
    description: "deployment.yaml: what devices run, how it is judged, and when it is taken back.",
  },
  environment: {
    schema: environmentSchema,
    title: "Roboticks environment",
    description: "environment.yaml: environment variables for one use of a capsule.",
  },
} as const;

/** JSON Schemas (2020-12) by file name, as text. */
export function editorSchemas(): ReadonlyMap<string, string> {
  return new Map(
    Object.entries(documents).map(([name, { schema, title, description }]) => {
      const { $schema, ...rest } = z.toJSONSchema(schema, { io: "input" });
      const $id = `urn:roboticks:schema:${name}:v1`;
      const whole = { $schema, $id, title, description, ...rest };
      return [`${name}.v1.json`, `${JSON.stringify(whole, null, 2)}\n`];
    }),
  );
}
