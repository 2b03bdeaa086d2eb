import { AgentClient } from "@roboticks/client/local";
import { type OutputFormat, plain, printResult, table } from "../output.ts";

/** `roboticks local status`: straight from an agent's socket. */
export async function localStatus({
  socket,
  format,
}: {
  readonly socket: string;
  readonly format: OutputFormat;
}): Promise<void> {
  const status = await new AgentClient({ socketPath: socket }).status();
  const { device, pid, platform, deployment, capsules } = status;
  const running = deployment?.running;
  const link = !platform
    ? "none (local use only)"
    : platform.connected
      ? "connected"
      : `not connected${platform.lastError ? `: ${plain(platform.lastError)}` : ""}`;
  printResult(format, status, () =>
    [
      `device    ${device} (agent ${status.version}, pid ${pid})`,
      `platform  ${link}`,
      `runs      ${running ? `${running.name} ${running.version}` : "nothing"}`,
      table(
        ["USE", "CAPSULE", "PID", "STATE", "HEALTH", "RESTARTS"],
        capsules.map((use) => [
          use.name,
          `${use.capsule.name}@${use.capsule.version}`,
          String(use.pid ?? "-"),
          use.state,
          use.verdict,
          String(use.restarts),
        ]),
      ),
    ].join("\n"),
  );
}
