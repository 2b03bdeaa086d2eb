import { agentSettingsSchema } from "@roboticks/spec/agent";
import { capsuleSourceSchema } from "@roboticks/spec/capsule";
import { contextSchema } from "@roboticks/spec/context";
import { deploymentSourceSchema } from "@roboticks/spec/deployment";
import { SpecError } from "@roboticks/spec/document";
import { environmentSchema } from "@roboticks/spec/environment";
import { CliError } from "../errors.ts";
import { exitStatus } from "../exit-status.ts";
import { readDocument, readText } from "../files.ts";
import { print, say } from "../output.ts";

const schemas = {
  AgentSettings: agentSettingsSchema,
  Capsule: capsuleSourceSchema,
  Context: contextSchema,
  Deployment: deploymentSourceSchema,
  Environment: environmentSchema,
} as const;

/** `roboticks validate FILE…`: all problems of all files, then the exit status. */
export async function validate(files: readonly string[]): Promise<void> {
  let bad = 0;
  for (const file of files) {
    try {
      const kind = await kindOf(file);
      await readDocument(file, schemas[kind]);
      print(`${file}  is a well-formed ${kind}`);
    } catch (error) {
      if (!(error instanceof SpecError || error instanceof CliError)) throw error;
      bad++;
      say(error instanceof SpecError ? error.message : `${error.message}  [${error.code}]`);
    }
  }
  if (bad > 0) process.exitCode = exitStatus.failed;
}

/** The `kind` that stands in the document, read without judging the rest of it. */
async function kindOf(file: string): Promise<keyof typeof schemas> {
  const text = await readText(file);
  const [, kind] = /(?:^|[{,]\s*)["']?kind["']?\s*:\s*["']?([A-Za-z]+)/m.exec(text) ?? [];
  if (kind !== undefined && Object.hasOwn(schemas, kind)) return kind as keyof typeof schemas;
  const known = Object.keys(schemas).join(", ");
  throw new CliError("ERR_CLI_FILE", `${file}  has no kind that is known (${known})`);
}
