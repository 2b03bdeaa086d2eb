import * as z from "zod";
import { apiVersion, nameSchema } from "./words.ts";

/** `.roboticks/context.yaml`: which platform the command line talks to in this folder. */
export const contextSchema = z.strictObject({
  $schema: z.string().optional(),
  apiVersion,
  kind: z.literal("Context"),
  server: z.url({ protocol: /^https?$/ }).describe("Origin of the platform."),
  project: nameSchema,
  tokenFile: z.string().min(1).optional().describe("A file of mode 0600 with an operator's token."),
  keyFile: z.string().min(1).optional().describe("A file of mode 0600 with the key that signs."),
});

export type Context = z.output<typeof contextSchema>;
