import { readFile } from "node:fs/promises";
import type { Logger } from "@roboticks/core";
import { nameSchema } from "@roboticks/spec/words";
import { type JsonValue, parseStrictJson } from "@roboticks/trust";
import { DataFolder } from "./data-folder.ts";
import { PlatformError } from "./errors.ts";
import { FileBlobs } from "./file-blobs.ts";
import { createPlatform, type Platform, type PlatformOptions } from "./platform.ts";
import { sha256Hex } from "./secrets.ts";
import { openSqliteState } from "./sqlite-state.ts";

/** What `roboticks-platform` takes. */
export interface RunOptions {
  /** Folder of everything it keeps. */
  readonly data: string;
  /** File of the root of trust. */
  readonly root: string;
  /** `host:port`. */
  readonly listen: string;
  readonly project: string;
  readonly logger: Logger;
  /** Ends it. */
  readonly signal: AbortSignal;
}

/**
 * Runs a platform on a data folder until `signal` is aborted; resolves once it has ended.
 *
 * @throws {PlatformError} when it cannot start
 */
export async function runPlatform(options: RunOptions): Promise<void> {
  const { data, project, logger, signal } = options;
  const { host, port } = parseAddress(options.listen);
  if (!nameSchema.safeParse(project).success) {
    throw settings(`--project ${project} is no name (a-z, 0-9 and - inside)`);
  }
  const root = await readRootFile(options.root);
  const folder = await DataFolder.open(data);
  // The state comes first: its lock keeps a second platform from everything below.
  await using state = await openSqliteState({ path: folder.statePath });
  const last = await folder.announced();
  if (last?.ready) await folder.announce({ ...last, ready: false });
  const { operatorToken, dsnKey } = await folder.secrets();
  const blobs = await FileBlobs.open({ root: folder.blobsPath });
  await using platform = await listenAgain(port, last && new URL(last.url).port, {
    state,
    blobs,
    root,
    operatorTokenHashes: [sha256Hex(operatorToken)],
    dsnKeyHashes: [sha256Hex(dsnKey)],
    project,
    host,
    logger,
  });
  const announcement = { url: platform.url, project, pid: process.pid };
  await folder.announce({ ...announcement, ready: true });
  if (!signal.aborted) {
    await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
  }
  await folder.announce({ ...announcement, ready: false });
}

/** At `port`; where that is 0, at the one of last time or any that is free. */
async function listenAgain(
  port: number,
  lastPort: string | undefined,
  options: PlatformOptions,
): Promise<Platform> {
  if (port !== 0 || !lastPort) return createPlatform({ ...options, port });
  try {
    return await createPlatform({ ...options, port: Number(lastPort) });
  } catch (error) {
    if (!(error instanceof PlatformError) || error.code !== "ERR_PLATFORM_LISTEN") throw error;
    options.logger?.warn({ port: lastPort }, "the port of last time is taken; choosing another");
    return createPlatform({ ...options, port: 0 });
  }
}

function parseAddress(text: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, port] =
    /^(?:\[([0-9a-f:]+)\]|([^:[\]]+)):(\d{1,5})$/i.exec(text) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined || Number(port) > 65_535) {
    throw settings(`--listen ${text} is no address; it looks like 127.0.0.1:8080 or [::1]:8080`);
  }
  return { host, port: Number(port) };
}

async function readRootFile(path: string): Promise<JsonValue> {
  try {
    return parseStrictJson(await readFile(path));
  } catch (cause) {
    throw settings(`the root of trust ${path} cannot be read: ${(cause as Error).message}`, cause);
  }
}

function settings(message: string, cause?: unknown): PlatformError {
  return new PlatformError("ERR_PLATFORM_SETTINGS", message, { cause });
}
