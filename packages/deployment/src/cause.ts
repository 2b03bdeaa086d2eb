import type { Cause } from "@roboticks/spec/report";
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
 * Whether `error` is trouble of the surroundings, which may go away by itself. An error that
 * does not say so itself is judged by what caused it.
 */
export function isRetryable(error: unknown): boolean {
  for (
    let link = error, depth = 0;
    link instanceof Error && depth < 8;
    link = link.cause, depth++
  ) {
    const { retryable, code } = link as { retryable?: unknown; code?: unknown };
    if (typeof retryable === "boolean") return retryable;
    if (typeof code === "string" && surroundings.has(code)) return true;
  }
  return false;
}

/** What was thrown, as a report tells it. */
export function causeOf(error: unknown, more: Partial<Cause> = {}): Cause {
  const { code } = (error ?? {}) as { code?: unknown };
  const { lastLines } = (error ?? {}) as { lastLines?: unknown };
  const text = error instanceof Error ? error.message : String(error);
  return {
    code: typeof code === "string" ? code.slice(0, 64) : "ERR_DEPLOYMENT_STEP_FAILED",
    message: text.slice(0, 4_096),
    lastLines: Array.isArray(lastLines) ? lastLines.map(String).slice(-50) : [],
    ...more,
  };
}

/** The last lines of a use, as many and as long as a report may hold; none if there is no log. */
export async function lastLinesOf(capsules: Capsules, use: string): Promise<string[]> {
  const lines = await capsules.lastLines(use).catch(() => []); // evidence is welcome, not needed
  return lines.slice(-20).map((line) => line.slice(0, 2_048));
}
