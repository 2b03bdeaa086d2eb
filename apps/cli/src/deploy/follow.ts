import { styleText } from "node:util";
import type { PlatformClient } from "@roboticks/client";
import type { Report } from "@roboticks/spec/report";
import { CliError } from "../errors.ts";
import { plain } from "../output.ts";

/** Options of {@link followDeployment}. */
export interface FollowOptions {
  readonly client: PlatformClient;
  readonly device: string;
  /** The order whose reports matter. */
  readonly version: number;
  /** Reports up to this seq are old. */
  readonly after: number;
  readonly signal: AbortSignal;
  /** Told of every step, in words. */
  readonly onLine: (line: string) => void;
}

/**
 * Follows an order until the device runs the deployment and found it healthy.
 *
 * @returns the report that said so
 * @throws {CliError} `ERR_CLI_DEPLOYMENT_FAILED` with the cause and the last log lines
 */
export async function followDeployment(options: FollowOptions): Promise<Report> {
  const { client, device, version, after, signal, onLine } = options;
  for await (const report of client.watchReports(device, { after, signal })) {
    if (report.assignment > version) {
      throw failed(`a newer order (${report.assignment}) took the place of this one`);
    }
    if (report.assignment !== version) continue;
    const line = describeReport(report);
    if (line) onLine(line);
    if (report.state === "probation" || report.state === "committed") return report;
    if (report.state === "superseded") throw failed("a newer order took the place of this one");
    if (report.state === "reverted" || report.state === "refused") {
      throw failed(describeFailure(device, report));
    }
  }
  throw failed("the platform stopped telling");
}

/** A report as a line of progress: a word for the state, then what is known. */
export function describeReport({ state, message, cause, running }: Report): string | undefined {
  const words: Partial<Record<Report["state"], string>> = {
    staging: cause ? "waiting" : "plan",
    activating: "staged",
    trial: "activated",
    probation: "healthy",
    undoing: "going back",
    reverted: "gone back",
  };
  const word = words[state];
  if (!word) return undefined;
  const text: typeof words = {
    activating: "everything is on the device and verified",
    trial: "watched until it is healthy",
    probation: "goes back by itself if it does not stay so",
    reverted: running ? `runs ${running.name} ${running.version}` : "nothing runs, as before",
  };
  const said = [cause && plain(cause.message), text[state] ?? (message && plain(message))];
  return `  ${word.padEnd(12)}${said.filter(Boolean).join("; ")}`.trimEnd();
}

/** Why it did not work out, with the evidence. */
export function describeFailure(device: string, { deployment, cause, running }: Report): string {
  const { name, version } = deployment;
  const now = running ? `runs ${running.name} ${running.version}` : "runs nothing";
  const lines = cause?.lastLines ?? [];
  return [
    `${device} did not keep ${name} ${version} and ${now}: ${plain(cause?.message ?? "it was refused")}${cause ? `  [${plain(cause.code)}]` : ""}`,
    ...(lines.length > 0
      ? [styleText("dim", "  last lines"), ...lines.map((l) => `    ${plain(l)}`)]
      : []),
  ].join("\n");
}

function failed(message: string): CliError {
  return new CliError("ERR_CLI_DEPLOYMENT_FAILED", message);
}
