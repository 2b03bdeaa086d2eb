import { join } from "node:path";
import { DevFleet, type DevFleetOptions } from "../dev/fleet.ts";
import { CliError } from "../errors.ts";
import { exitStatus } from "../exit-status.ts";
import { print, say } from "../output.ts";
import { runTour } from "../tour/tour.ts";

/** Options of `roboticks dev`. */
export interface DevOptions {
  readonly tour: boolean;
  readonly devices: string;
  readonly fresh: boolean;
}

/** `roboticks dev`: a platform and devices on this machine, until Ctrl-C. */
export async function dev({ tour, devices, fresh }: DevOptions): Promise<void> {
  const count = Number(devices);
  if (!Number.isInteger(count) || count < 1 || count > 100) {
    throw new CliError("ERR_CLI_USAGE", `--devices ${devices} is no number of devices (1 to 100)`);
  }
  const interrupted = new AbortController();
  for (const name of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(name, () => interrupted.abort(new Error("interrupted")));
  }
  // Whoever read what we print may be gone; that is no reason to leave everything running.
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", () => interrupted.abort(new Error("interrupted")));
  }
  const { signal } = interrupted;
  const folder = join(process.cwd(), ".roboticks");
  try {
    if (tour) return await runTour({ folder: join(folder, "tour"), signal });
    await stayUp({ folder, devices: count, fresh, signal });
  } catch (error) {
    if (!signal.aborted) throw error;
    process.exitCode = exitStatus.interrupted;
  }
}

async function stayUp(options: DevFleetOptions & { readonly signal: AbortSignal }): Promise<void> {
  const { signal } = options;
  say("Starting a platform and its devices …");
  await using fleet = await DevFleet.start(options);
  const ports = await Promise.all(fleet.devices.map((device) => device.port()));
  print(
    [
      `platform   ${fleet.platform.url}`,
      ...fleet.devices.map(
        ({ name, disk }, index) =>
          `${name}   its disk is ${disk}; hello-world will be on port ${ports[index]}`,
      ),
      "",
      "Try next, in another terminal in this folder:",
      "  roboticks device list",
      "  roboticks pack FOLDER && roboticks push FILE",
      `  roboticks deploy deployment.yaml --device ${fleet.devices[0]?.name}`,
      "",
      "Ctrl-C ends all of it, workloads too; the next start goes on where this one ended.",
    ].join("\n"),
  );
  if (!signal.aborted) {
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  }
  say("Ending …");
}
