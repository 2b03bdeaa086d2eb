#!/usr/bin/env node
import { RoboticksError } from "@roboticks/core";
import { Command } from "commander";
import { pino } from "pino";
import { type RunOptions, runPlatform } from "./run.ts";

const program = new Command("roboticks-platform")
  .description("The reference control plane of Roboticks, for one project.")
  .requiredOption("--data <dir>", "where it keeps everything; made when missing")
  .requiredOption("--root <file>", "the root of trust (root.json)")
  .option(
    "--listen <host:port>",
    "plain HTTP; port 0: the one of last time if it is free, else any",
    "127.0.0.1:0",
  )
  .option("--project <name>", "the project", "default")
  .action(async ({ data, root, listen, project }: RunOptions) => {
    const logger = pino({
      name: "roboticks-platform",
      serializers: { error: pino.stdSerializers.err },
    });
    const ended = new AbortController();
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.once(signal, () => {
        logger.info({ signal }, "ending");
        ended.abort();
      });
    }
    try {
      await runPlatform({ data, root, listen, project, logger, signal: ended.signal });
    } catch (error) {
      const { message } = error as Error;
      process.stderr.write(
        `roboticks-platform: ${message}${error instanceof RoboticksError ? ` [${error.code}]` : ""}\n`,
      );
      process.exitCode = 1;
    }
  });

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`roboticks-platform: ${String(error)}\n`);
  process.exitCode = 1;
});
