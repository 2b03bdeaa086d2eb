import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { PlatformClient } from "@roboticks/client";
import { contextSchema } from "@roboticks/spec/context";
import { type KeyPair, readKeyFile } from "@roboticks/trust";
import { CliError } from "./errors.ts";
import { readDocument, readText } from "./files.ts";

/** Where a command looks for the platform before it looks elsewhere. */
export interface ContextFlags {
  readonly server?: string;
  readonly project?: string;
  readonly key?: string;
}

/** The platform that a command talks to, and the key that it signs with. */
export interface Session {
  readonly project: string;
  readonly client: PlatformClient;
  /** The operator's key. */
  signingKey(): Promise<KeyPair>;
}

/** The project file, looked for from the current folder upwards. */
export const contextFile = join(".roboticks", "context.yaml");

/**
 * Finds out whom to talk to: flags, then the environment (`ROBOTICKS_SERVER`, `_PROJECT`,
 * `_TOKEN`, `_KEY`), then a context file: the one that `ROBOTICKS_CONTEXT` names, else
 * `.roboticks/context.yaml` here or in a folder above.
 *
 * @throws {CliError} `ERR_CLI_NO_CONTEXT` when nothing says where the platform is
 */
export async function openSession(flags: ContextFlags, env = process.env): Promise<Session> {
  const file = env.ROBOTICKS_CONTEXT ?? findUpwards(process.cwd());
  const context = file ? await readDocument(file, contextSchema) : undefined;
  const server = flags.server ?? env.ROBOTICKS_SERVER ?? context?.server;
  const project = flags.project ?? env.ROBOTICKS_PROJECT ?? context?.project;
  if (!server || !project) {
    throw new CliError(
      "ERR_CLI_NO_CONTEXT",
      "no platform is known here; start one with `roboticks dev`, or name one with --server and --project",
    );
  }
  const beside = (path: string): string => resolve(dirname(file ?? "."), path);
  const token =
    env.ROBOTICKS_TOKEN ??
    (context?.tokenFile ? (await readText(beside(context.tokenFile))).trim() : undefined);
  const keyFile =
    flags.key ?? env.ROBOTICKS_KEY ?? (context?.keyFile ? beside(context.keyFile) : undefined);
  return {
    project,
    client: new PlatformClient({ endpoint: server, project, ...(token ? { token } : {}) }),
    async signingKey() {
      if (keyFile) return readKeyFile(keyFile);
      throw new CliError("ERR_CLI_NO_CONTEXT", "no signing key is known here; name one with --key");
    },
  };
}

function findUpwards(from: string): string | undefined {
  for (let folder = from; ; folder = dirname(folder)) {
    const file = join(folder, contextFile);
    if (existsSync(file)) return file;
    if (folder === dirname(folder)) return undefined;
  }
}
