import { toError } from "@roboticks/core";
import type { Problem } from "@roboticks/spec/api";
import { TrustError } from "@roboticks/trust";
import type { ErrorHandler } from "hono";
import { HTTPException } from "hono/http-exception";
import type { Context, Env } from "./context.ts";
import { PlatformError, type RefusalCode, refusals } from "./errors.ts";

/** Answers every error as a problem; what nobody expected is logged and not told. */
export function problems({ logger }: Context): ErrorHandler<Env> {
  return (error, c) => {
    const refused = toRefusal(error);
    if (refused.code === "ERR_PLATFORM_INTERNAL" || refused.code === "ERR_PLATFORM_DISK_FULL") {
      logger.error(
        { error: toError(error), method: c.req.method, path: c.req.path },
        "request failed",
      );
    }
    const { code, message } = refused;
    const status = refusals[code];
    const problem: Problem = { code, message };
    const headers: Record<string, string> = {
      ...(status === 401 && { "www-authenticate": "Bearer" }),
      ...(status === 429 && { "retry-after": "60" }),
      ...(status === 507 && { "retry-after": "60" }),
    };
    return c.json(problem, status, headers);
  };
}

function toRefusal(error: Error): { readonly code: RefusalCode; readonly message: string } {
  if (error instanceof PlatformError && error.code in refusals) {
    return { code: error.code as RefusalCode, message: error.message };
  }
  if (error instanceof TrustError) return { code: "ERR_PLATFORM_INVALID", message: error.message };
  if (error instanceof HTTPException) {
    return { code: "ERR_PLATFORM_INVALID", message: `${error.message} (send application/json)` };
  }
  if (isDiskFull(error)) {
    return {
      code: "ERR_PLATFORM_DISK_FULL",
      message: "the platform's disk is full; nothing was kept, free some space and send it again",
    };
  }
  return {
    code: "ERR_PLATFORM_INTERNAL",
    message: "the platform failed; its log says why",
  };
}

/** ENOSPC and EDQUOT of the file system, SQLITE_FULL of the database. */
function isDiskFull(error: Error): boolean {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown };
  return code === "ENOSPC" || code === "EDQUOT" || errcode === 13;
}
