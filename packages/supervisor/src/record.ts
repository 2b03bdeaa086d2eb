import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { isSystemError, writeFileAtomic } from "@roboticks/core/fs";
import type { CheckedProgram } from "./program.ts";

/** What is on disk of a run, beside the folders of its lives. */
export interface RunRecord
  extends Pick<
    CheckedProgram,
    "arguments" | "workingDirectory" | "restart" | "stopSignal" | "stopGraceMs" | "tag"
  > {
  readonly format: 1;
  readonly name: string;
  /** The boot in which it was written: no process outlives it. */
  readonly boot: string;
  /** `stop` from before the first signal on, so that nobody restarts what was being stopped. */
  readonly intent: "run" | "stop";
  /** Absolute path. */
  readonly executable: string;
  /** Where in its log the run begins, in bytes: what others printed before is none of its own. */
  readonly logFrom: number;
}

/** Where the parts of a run lie. */
export interface RunPaths {
  readonly folder: string;
  readonly record: string;
  /** The program's environment as shell commands, for its owner's eyes only. */
  readonly environment: string;
  /** One folder for each time that the program was started. */
  readonly lives: string;
}

/** The paths of the run in `folder`. */
export function runPaths(folder: string): RunPaths {
  return {
    folder,
    record: join(folder, "record.json"),
    environment: join(folder, "environment.sh"),
    lives: join(folder, "lives"),
  };
}

/** Durable once it resolves. Arguments may hold secrets: nobody else may read it. */
export async function writeRecord({ record }: RunPaths, content: RunRecord): Promise<void> {
  await writeFileAtomic(record, `${JSON.stringify(content)}\n`, { mode: 0o600 });
}

/** The record of a run; `undefined` where there is none, `"damaged"` where it makes no sense. */
export async function readRecord({ record }: RunPaths): Promise<RunRecord | undefined | "damaged"> {
  const text = await readFile(record, "utf8").catch((error: unknown) => {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    const content: unknown = JSON.parse(text);
    return isRecord(content) ? content : "damaged";
  } catch {
    return "damaged"; // no JSON
  }
}

const types = {
  name: "string",
  tag: "string",
  boot: "string",
  intent: "string",
  executable: "string",
  workingDirectory: "string",
  restart: "string",
  stopSignal: "string",
  stopGraceMs: "number",
  logFrom: "number",
} as const;

function isRecord(content: unknown): content is RunRecord {
  if (typeof content !== "object" || content === null) return false;
  const members = new Map(Object.entries(content));
  const args: unknown = members.get("arguments");
  return (
    members.get("format") === 1 &&
    Array.isArray(args) &&
    args.every((arg) => typeof arg === "string") &&
    Object.entries(types).every(([name, type]) => typeof members.get(name) === type)
  );
}

/**
 * Stands in for a record that makes no sense (a newer version's, a damaged disk's): what runs by
 * that name must still be found, to be stopped and not started twice, but not kept running.
 */
export function recordInPlaceOfDamaged(name: string, boot: string): RunRecord {
  return {
    format: 1,
    name,
    tag: "",
    boot,
    intent: "stop",
    executable: "/",
    arguments: [],
    workingDirectory: "/",
    restart: "never",
    stopSignal: "SIGTERM",
    stopGraceMs: 10_000,
    logFrom: 0,
  };
}
