import { type Clock, systemClock, untilAborted } from "@roboticks/core";
import { tokenStatement } from "@roboticks/spec/api";
import type { PlatformClient } from "./client.ts";
import type { TokenSource } from "./transport.ts";

/** Options of {@link deviceTokens}. */
export interface DeviceTokensOptions {
  /** Asks for the tokens; it needs none itself. */
  readonly client: PlatformClient;
  readonly device: string;
  /** Signs the UTF-8 of `text` with the device's key, as `signBytes` of `@roboticks/trust` does. */
  readonly sign: (text: string) => string | Promise<string>;
  readonly clock?: Clock;
}

/** A token is replaced when this part of its life is over. */
const renewAfter = 0.9;

/**
 * The tokens of an enrolled device, as the `token` of a {@link PlatformClient}: fetched when first
 * needed, replaced at 90 % of their life and when one is refused. Kept in memory only.
 */
export function deviceTokens({
  client,
  device,
  sign,
  clock = systemClock,
}: DeviceTokensOptions): Exclude<TokenSource, string> {
  let current: { readonly token: string; readonly renewAtMs: number } | undefined;
  let renewal: Promise<string> | undefined;

  const renew = async (): Promise<string> => {
    // Counted from before the request: the platform's count begins later.
    const askedAtMs = clock.monotonic();
    const nonce = await client.challenge(device);
    const signature = await sign(tokenStatement(client.project, device, nonce));
    const { token, expiresInSeconds } = await client.token(device, { nonce, signature });
    current = { token, renewAtMs: askedAtMs + expiresInSeconds * 1_000 * renewAfter };
    return token;
  };

  return async ({ signal, rejected }) => {
    signal?.throwIfAborted();
    const stale = !current || current.token === rejected || clock.monotonic() >= current.renewAtMs;
    if (current && !stale) return current.token;
    // Shared by all who ask meanwhile, so no one's signal ends it; its own timeouts do.
    renewal ??= renew().finally(() => {
      renewal = undefined;
    });
    return untilAborted(renewal, signal);
  };
}
