#!/usr/bin/env node
import { RoboticksError, toError } from "@roboticks/core";
import { Command } from "commander";
import { pino } from "pino";
import { Agent } from "./agent.ts";
import { readSettings } from "./settings.ts";
import { version } from "./version.ts";

const program = new Command("roboticks-agent")
  .description("Deploys software onto this device, watches it, and goes back by itself.")
  .version(version)
  .option("--settings <file>", "the agent's settings", "/etc/roboticks/agent.yaml")
  .option("--check-config", "read the settings, say what is wrong with them, and end");

program
  .command("run", { isDefault: true })
  .description("run the agent (the default)")
  .action(async () => {
    const { settings: file, checkConfig } = program.opts<{
      settings: string;
      checkConfig?: true;
    }>();
    const settings = await readSettings(file);
    if (checkConfig) {
      console.log(`${file} is well-formed`);
      return;
    }
    await run(settings);
  });

async function run(settings: Awaited<ReturnType<typeof readSettings>>): Promise<void> {
  const logger = pino({
    level: settings.log.level,
    serializers: { error: pino.stdSerializers.err, cause: pino.stdSerializers.err },
  });
  const signalled = Promise.withResolvers<{ stopWorkloads: boolean }>();
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    process.once(signal, () => signalled.resolve({ stopWorkloads: false }));
  }
  await using agent = await Agent.start({ settings, version, logger });
  const readyMs = Math.round(performance.now());
  logger.info({ device: settings.name, root: settings.root, readyMs }, "ready");
  const { stopWorkloads } = await Promise.race([agent.ended, signalled.promise]);
  logger.info({ stopWorkloads }, "ending");
  if (stopWorkloads) await agent.stopWorkloads();
}

program.parseAsync().catch((thrown: unknown) => {
  const error = toError(thrown);
  const code = error instanceof RoboticksError ? `  [${error.code}]` : `\n${error.stack}`;
  const message = error.message.includes("[ERR_") ? error.message : `${error.message}${code}`;
  console.error(`roboticks-agent: ${message}`);
  process.exitCode = 1;
});
