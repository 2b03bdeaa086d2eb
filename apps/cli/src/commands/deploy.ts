import { parseDuration } from "@roboticks/core";
import { type ContextFlags, openSession } from "../context.ts";
import { followDeployment } from "../deploy/follow.ts";
import { signOrder } from "../deploy/order.ts";
import { resolveDeployment } from "../deploy/resolve.ts";
import { CliError } from "../errors.ts";
import { type OutputFormat, printResult, say } from "../output.ts";

/** Options of `roboticks deploy`. */
export interface DeployOptions extends ContextFlags {
  readonly device: string;
  readonly retry: boolean;
  /** Whether to end once the platform has the order, without following it. */
  readonly detach: boolean;
  readonly timeout: string;
  readonly expires: string;
  readonly format: OutputFormat;
}

/** `roboticks deploy FILE --device NAME` */
export async function deploy(file: string, options: DeployOptions): Promise<void> {
  const { device, retry, detach, format } = options;
  const timeoutMs = durationOf("--timeout", options.timeout);
  const expiresMs = durationOf("--expires", options.expires);
  const { client, project, signingKey } = await openSession(options);
  const key = await signingKey();
  const deployment = await resolveDeployment(file, client);
  const before = await client.getDevice(device);
  const version = before.assignment + 1;
  const expiresAt = Date.now() + expiresMs;
  const order = { project, devices: [device], version, expiresAt, retry };
  await client.putAssignment(device, signOrder(deployment, order, key));
  say(
    `  signed      by key ${key.keyId.slice(0, 8)} (assignment ${version}, may be taken for ${options.expires})`,
  );
  if (detach) {
    printResult(
      format,
      { device, assignment: version },
      () => `${device} was given assignment ${version}`,
    );
    return;
  }
  const late = AbortSignal.timeout(timeoutMs);
  try {
    const after = before.latest?.seq ?? 0;
    const report = await followDeployment({
      client,
      device,
      version,
      after,
      signal: late,
      onLine: say,
    });
    const { name, version: label } = report.deployment;
    const was = before.running && before.running.digest !== report.deployment.digest;
    const tail = was ? `   (was ${before.running?.version}, kept for rollback)` : "";
    printResult(format, { device, ...report }, () => `✓ ${device} runs ${name} ${label}${tail}`);
  } catch (error) {
    if (!late.aborted) throw error;
    throw new CliError(
      "ERR_CLI_TIMEOUT",
      `${device} has not come to an end within ${options.timeout}; it goes on by itself, see \`roboticks device show ${device}\``,
    );
  }
}

function durationOf(flag: string, text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  throw new CliError(
    "ERR_CLI_USAGE",
    `${flag} ${text} is no duration; it looks like 10s, 5m or 1h`,
  );
}
