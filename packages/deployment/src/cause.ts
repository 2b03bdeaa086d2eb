import { toError } from "@roboticks/core";
import type { Cause } from "@roboticks/spec/report";
import { ConvergeError } from "./executors.ts";
import type { Capsules } from "./ports.ts";

/** Errors of the operating system that say nothing about a release. */
const surroundings = new Set([
  "ENOSPC",
  "EDQUOT",
  "EIO",
  "EMFILE",
  "ENFILE",
  "ENOMEM",
  "EAGAIN",
  "EROFS",
  "ECONNREFUSED",
  "ECONNRESET",
  "ENETUNREACH",
  "EHOSTUNREACH",
  "ETIMEDOUT",
  "EAI_AGAIN",
  "ENOTFOUND",
]);

/**
 * Whether `error`, or what brought it about, is trouble of the surroundings, which may go away
 * by itself.
 */
export function isRetryable(error: unknown): boolean {
  for (
    let link = error, depth = 0;
    link instanceof Error && depth < 8;
    link = link.cause, depth++
  ) {
    const { retryable, code } = link as { retryable?: unknown; code?: unknown };
    if (retryable === true || (typeof code === "string" && surroundings.has(code))) return true;
  }
  return false;
}

/** What was thrown, as a report tells it; for a use that did not converge, why it did not. */
export function causeOf(error: unknown, more: Partial<Cause> = {}): Cause {
  if (error instanceof ConvergeError) return causeOf(error.cause, more);
  const { code } = (error ?? {}) as { code?: unknown };
  return {
    code: typeof code === "string" ? code : "ERR_DEPLOYMENT_STEP_FAILED",
    message: toError(error).message,
    lastLines: [],
    ...more,
  };
}

/** The last lines of a use; none if there is no log. */
export async function lastLinesOf(capsules: Capsules, use: string): Promise<string[]> {
  const lines = await capsules.lastLines(use).catch(() => []); // evidence is welcome, not needed
  return [...lines];
}
