import type { Context as HonoContext, MiddlewareHandler } from "hono";
import type { Context, Env } from "./context.ts";
import { PlatformError } from "./errors.ts";
import { matchesSecret, sha256Hex } from "./secrets.ts";
import type { DeviceEntry } from "./state.ts";

/** How exact `lastSeenAt` is, in ms: not every poll is worth a write. */
const seenEveryMs = 10_000;

/** Lets operators pass. */
export function operator(context: Context): MiddlewareHandler<Env> {
  return async (c, next) => {
    if (!isOperator(context, c)) throw unauthenticated("an operator's token");
    await next();
  };
}

/** Lets the device that the path names pass, nobody else. */
export function deviceItself(context: Context): MiddlewareHandler<Env> {
  return async (c, next) => {
    const device = await deviceOf(context, c);
    if (!device) throw unauthenticated("a token of the device");
    if (device.name !== c.req.param("device")) {
      throw new PlatformError("ERR_PLATFORM_FORBIDDEN", "this token is another device's");
    }
    await next();
  };
}

/** Lets operators and every device pass. */
export function anyone(context: Context): MiddlewareHandler<Env> {
  return async (c, next) => {
    if (!isOperator(context, c) && !(await deviceOf(context, c))) {
      throw unauthenticated("a token of a device or an operator");
    }
    await next();
  };
}

/** Lets holders of a DSN pass. */
export function enroller({ dsnKeyHashes }: Context): MiddlewareHandler<Env> {
  return async (c, next) => {
    if (!matchesSecret(bearer(c) ?? "", dsnKeyHashes)) {
      throw new PlatformError(
        "ERR_PLATFORM_DSN_KEY",
        "the DSN's key is not good here; get the project's current DSN from its operator",
      );
    }
    await next();
  };
}

function isOperator({ operatorTokenHashes }: Context, c: HonoContext<Env>): boolean {
  return matchesSecret(bearer(c) ?? "", operatorTokenHashes);
}

async function deviceOf(
  { state, clock }: Context,
  c: HonoContext<Env>,
): Promise<DeviceEntry | undefined> {
  const shown = bearer(c);
  if (shown === undefined) return undefined;
  const token = await state.getToken(sha256Hex(shown));
  const now = clock.now();
  if (!token || token.expiresAt <= now) return undefined;
  const device = await state.getDevice(token.device);
  if (!device) return undefined;
  // In both directions: a platform's clock is set back, too.
  if (Math.abs(now - (device.lastSeenAt ?? 0)) >= seenEveryMs) {
    await state.setLastSeen(device.name, now);
  }
  return device;
}

function bearer(c: HonoContext<Env>): string | undefined {
  return /^Bearer ([\x21-\x7e]{1,1024})$/i.exec(c.req.header("authorization") ?? "")?.[1];
}

function unauthenticated(what: string): PlatformError {
  return new PlatformError(
    "ERR_PLATFORM_UNAUTHENTICATED",
    `this needs ${what}; none was shown, or it ended`,
  );
}
