#!/usr/bin/env node
import { ClientError } from "@roboticks/client";
import { RoboticksError, toError } from "@roboticks/core";
import { Command, CommanderError, Option } from "commander";
import type { DeployOptions } from "./commands/deploy.ts";
import type { DevOptions } from "./commands/dev.ts";
import type { ContextFlags } from "./context.ts";
import { exitStatus, exitStatusOf } from "./exit-status.ts";
import { type OutputFormat, plain } from "./output.ts";
import { version } from "./version.ts";

type Flags = ContextFlags & { readonly format: OutputFormat };

const format = (): Option =>
  new Option("-o, --format <format>", "how results are written")
    .choices(["table", "json"])
    .default("table");

// A command is loaded when it is used: what others need costs it no time.
const program = new Command("roboticks")
  .description("Deploys software onto robots and keeps it running.")
  .version(version)
  .exitOverride()
  .showHelpAfterError("(see --help)");

/** A command that talks to a platform. */
function platformCommand(parent: Command, usage: string, description: string): Command {
  return parent
    .command(usage)
    .description(description)
    .option("--server <url>", "the platform (default: that of this folder's context)")
    .option("--project <name>", "the project there")
    .addOption(format());
}

program
  .command("dev")
  .description("run a platform and devices here, until Ctrl-C")
  .addOption(
    new Option("--tour", "show what it does, check each step, and end; always fresh, one device")
      .default(false)
      .conflicts(["devices", "fresh"]),
  )
  .option("--devices <count>", "how many devices", "1")
  .option("--fresh", "forget everything from earlier", false)
  .action(async (options: DevOptions) => (await import("./commands/dev.ts")).dev(options));

program
  .command("pack <folder>")
  .description("make the archive of a capsule from its folder")
  .option("--output <file>", "where to (default: NAME-VERSION.tar.zst here)")
  .addOption(format())
  .action(async (folder: string, options: { output?: string; format: OutputFormat }) =>
    (await import("./commands/capsule.ts")).pack(folder, options),
  );

platformCommand(program, "push <file>", "upload an archive to the platform").action(
  async (file: string, options: Flags) =>
    (await import("./commands/capsule.ts")).push(file, options),
);

program
  .command("validate <files...>")
  .description("check documents, and say all that is wrong in them")
  .action(async (files: string[]) => (await import("./commands/validate.ts")).validate(files));

platformCommand(program, "deploy <file>", "sign a deployment, give it to a device, and follow it")
  .requiredOption("--device <name>", "which device")
  .option("--key <file>", "the key to sign with (default: that of the context)")
  .option("--retry", "try it again where it failed before", false)
  .option("--detach", "do not follow it", false)
  .option("--timeout <duration>", "how long to follow it", "15m")
  .option("--expires <duration>", "until when a device may take the order", "7d")
  .action(async (file: string, options: DeployOptions) =>
    (await import("./commands/deploy.ts")).deploy(file, options),
  );

const capsule = program.command("capsule").description("list the capsules that were pushed");
platformCommand(capsule, "list", "list the capsules that were pushed").action(
  async (flags: Flags) => (await import("./commands/capsule.ts")).listCapsules(flags),
);

const device = program.command("device").description("list devices, show one");
platformCommand(device, "list", "list the devices of the project").action(async (flags: Flags) =>
  (await import("./commands/device.ts")).listDevices(flags),
);
platformCommand(device, "show <name>", "show what a device runs and should run").action(
  async (name: string, flags: Flags) =>
    (await import("./commands/device.ts")).showDevice(name, flags),
);
platformCommand(program, "why <device>", "say why a device runs what it runs").action(
  async (name: string, flags: Flags) => (await import("./commands/device.ts")).why(name, flags),
);

const key = program.command("key").description("make signing keys");
key
  .command("create <file>")
  .description("make a signing key, in a file of mode 0600")
  .addOption(format())
  .action(async (file: string, options: { format: OutputFormat }) =>
    (await import("./commands/key.ts")).createKey(file, options),
  );

const local = program
  .command("local")
  .description("ask an agent on this machine, without a platform");
local
  .command("status")
  .description("show what an agent runs")
  .option("--socket <path>", "the agent's socket", "/run/roboticks/agent.sock")
  .addOption(format())
  .action(async (options: { socket: string; format: OutputFormat }) =>
    (await import("./commands/local.ts")).localStatus(options),
  );

// Every command below inherits how errors end.
for (const command of [program, capsule, device, key, local].flatMap((parent) => [
  parent,
  ...parent.commands,
])) {
  command.exitOverride();
}

program.parseAsync().catch((thrown: unknown) => {
  if (thrown instanceof CommanderError) {
    // Help and version were asked for; anything else is a mistake in the command line.
    process.exitCode = thrown.exitCode === 0 ? exitStatus.done : exitStatus.usage;
    return;
  }
  // Where cleaning up failed too, what it was for is still the reason.
  const error = toError(thrown instanceof SuppressedError ? thrown.suppressed : thrown);
  if (!(error instanceof RoboticksError)) {
    process.stderr.write(`roboticks: ${error.stack ?? error.message}\n`);
  } else if (error instanceof ClientError && error.problem) {
    // What the platform said when it refused, without the request around it.
    const { code, message } = error.problem;
    process.stderr.write(`roboticks: ${plain(message)}  [${plain(code)}]\n`);
  } else if (error.message.includes(`[${error.code}]`)) {
    process.stderr.write(`${error.message}\n`);
  } else {
    const [first, ...more] = error.message.split("\n");
    process.stderr.write(`${[`roboticks: ${first}  [${error.code}]`, ...more].join("\n")}\n`);
  }
  process.exitCode = exitStatusOf(error);
});
