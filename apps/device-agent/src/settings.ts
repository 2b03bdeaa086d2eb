import { readFile, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { toError } from "@roboticks/core";
import { type AgentSettings, agentSettingsSchema } from "@roboticks/spec/agent";
import { parseDocumentText } from "@roboticks/spec/document";
import { type Dsn, parseDsn } from "@roboticks/spec/dsn";
import { AgentError } from "./errors.ts";

/**
 * Reads the agent's settings; relative paths in them are relative to their file.
 *
 * @throws {AgentError} `ERR_AGENT_SETTINGS` when the file cannot be read
 * @throws {SpecError} when it is not what it should be
 */
export async function readSettings(file: string): Promise<AgentSettings> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (cause) {
    throw new AgentError(
      "ERR_AGENT_SETTINGS",
      `the settings cannot be read: ${toError(cause).message}; name the file with --settings`,
      { cause },
    );
  }
  const settings = parseDocumentText(text, agentSettingsSchema, { file });
  const base = dirname(resolve(file));
  return {
    ...settings,
    root: resolve(base, settings.root),
    run: resolve(base, settings.run),
    ...(settings.dsnFile ? { dsnFile: resolve(base, settings.dsnFile) } : {}),
  };
}

/**
 * Reads the DSN. It holds a key, so the file must be nobody else's.
 *
 * @throws {AgentError} `ERR_AGENT_DSN`
 * @throws {SpecError} `ERR_SPEC_DSN`; the message never holds the key
 */
export async function readDsn(file: string): Promise<Dsn> {
  const { text, mode } = await readSecret(file).catch((cause: unknown) => {
    throw new AgentError(
      "ERR_AGENT_DSN",
      `the DSN cannot be read: ${toError(cause).message}; see dsnFile in the settings`,
      { cause },
    );
  });
  if ((mode & 0o077) !== 0) {
    throw new AgentError(
      "ERR_AGENT_DSN",
      `${file} holds a key and can be read by others (mode ${(mode & 0o777).toString(8)}); chmod 600 it`,
    );
  }
  return parseDsn(text);
}

async function readSecret(file: string): Promise<{ readonly text: string; readonly mode: number }> {
  const stats = await stat(file);
  // A pipe would keep us waiting for ever.
  if (!stats.isFile()) throw new Error(`${file} is no file`);
  return { text: await readFile(file, "utf8"), mode: stats.mode };
}
