import type { Run } from "@roboticks/supervisor";
import { CliError } from "../errors.ts";

/** What a child process is given of our environment: what a login would give it, no secrets. */
export function childEnvironment(env = process.env): Record<string, string> {
  const kept = ["PATH", "HOME", "LANG", "TMPDIR"];
  return Object.fromEntries(
    kept.flatMap((name) => (env[name] === undefined ? [] : [[name, env[name]]])),
  );
}

/**
 * @throws {CliError} `ERR_CLI_DEV_START` with its last lines, when `run` has ended before it was
 * ready, whether it is tried again or not
 */
export async function throwIfEnded(run: Run): Promise<void> {
  const { lastExit } = run.status();
  if (!lastExit) return;
  const lines = await run.lastLines(10);
  const how = lastExit.signal ?? `status ${lastExit.code ?? "unknown"}`;
  throw new CliError(
    "ERR_CLI_DEV_START",
    [`${run.name} ended (${how}); its last lines:`, ...lines.map((line) => `  ${line}`)].join("\n"),
  );
}
