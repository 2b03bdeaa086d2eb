import * as z from "zod";
import { apiVersion, noNul, variableNameSchema } from "./words.ts";

const valueError = { error: "a value is text without NUL characters, a number, true or false" };

/** `environment.yaml`: environment variables for one use of a capsule. */
export const environmentSchema = z.strictObject({
  $schema: z.string().optional(),
  apiVersion,
  kind: z.literal("Environment"),
  variables: z
    .record(
      variableNameSchema,
      z.union([z.string().regex(noNul, valueError), z.number(), z.boolean()], valueError),
    )
    .describe("Numbers and booleans become the text that stands there."),
});

export type Environment = z.output<typeof environmentSchema>;

/** The variables as a process gets them: text. */
export function variablesOf(environment: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment.variables).map(([name, value]) => [name, String(value)]),
  );
}
