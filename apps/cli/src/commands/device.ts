import { formatDuration } from "@roboticks/core";
import type { DeviceRecord } from "@roboticks/spec/api";
import { type ContextFlags, openSession } from "../context.ts";
import { describeFailure } from "../deploy/follow.ts";
import { type OutputFormat, plain, print, printResult, table } from "../output.ts";

type Flags = ContextFlags & { readonly format: OutputFormat };

/** `roboticks device list` */
export async function listDevices({ format, ...flags }: Flags): Promise<void> {
  const { client } = await openSession(flags);
  const devices = await client.listDevices();
  printResult(format, devices, () =>
    table(
      ["DEVICE", "RUNS", "WANTED", "STATE", "SEEN"],
      devices.map((device) => [
        device.name,
        labelOf(device.running),
        labelOf(device.desired),
        device.latest?.state ?? "-",
        seen(device),
      ]),
    ),
  );
}

/** `roboticks device show NAME` */
export async function showDevice(name: string, { format, ...flags }: Flags): Promise<void> {
  const { client } = await openSession(flags);
  const device = await client.getDevice(name);
  const rows: [string, string][] = [
    ["device", device.name],
    ["runs", labelOf(device.running)],
    ["wanted", `${labelOf(device.desired)} (assignment ${device.assignment})`],
    ["state", device.latest?.state ?? "-"],
    ["seen", seen(device)],
    ...(device.latest?.cause
      ? [["cause", plain(device.latest.cause.message)] as [string, string]]
      : []),
  ];
  printResult(format, device, () =>
    rows.map(([key, value]) => `${key.padEnd(10)}${value}`).join("\n"),
  );
}

/** `roboticks why NAME`: why a device runs what it runs. */
export async function why(name: string, { format, ...flags }: Flags): Promise<void> {
  const { client } = await openSession(flags);
  const device = await client.getDevice(name);
  const { running, desired, latest } = device;
  if (format === "json") return printResult(format, { running, desired, latest }, () => "");
  if (!desired) return print(`${name} was never given a deployment`);
  if (running?.digest === desired.digest) {
    return print(`${name} runs ${labelOf(running)}, as wanted (assignment ${device.assignment})`);
  }
  print(
    `${name} runs ${labelOf(running)}, wanted ${labelOf(desired)} (assignment ${device.assignment})`,
  );
  if (latest?.cause) print(`  ${describeFailure(name, latest).replaceAll("\n", "\n  ")}`);
  else if (latest)
    print(`  it is ${latest.state}${latest.message ? `: ${plain(latest.message)}` : ""}`);
  else print("  it has not reported anything yet");
  if (latest?.state === "reverted") {
    print(
      "  it will not be tried again by itself; `roboticks deploy FILE --device NAME --retry` asks for it",
    );
  }
}

function labelOf(label: DeviceRecord["running"]): string {
  return label ? `${label.name} ${label.version}` : "nothing";
}

function seen({ lastSeenAt }: DeviceRecord): string {
  if (lastSeenAt === undefined) return "never";
  return `${formatDuration(Math.max(0, Date.now() - lastSeenAt))} ago`;
}
