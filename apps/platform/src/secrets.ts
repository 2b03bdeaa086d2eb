import { createHash, createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Clock } from "@roboticks/core";

/** sha256 of a secret, hex: all that is kept of one. */
export function sha256Hex(secret: string | Uint8Array): string {
  return createHash("sha256").update(secret).digest("hex");
}

/** Whether `secret` is one of those with `hashes`; takes the same time whatever it is. */
export function matchesSecret(secret: string, hashes: readonly string[]): boolean {
  const found = Buffer.from(sha256Hex(secret), "hex");
  let matches = false;
  for (const hash of hashes) {
    if (timingSafeEqual(found, Buffer.from(hash, "hex"))) matches = true;
  }
  return matches;
}

/** A new secret: 256 bits, 43 characters of A-Z, a-z, 0-9, _ and -. */
export function makeSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** How long a nonce is good, in ms. */
const nonceLifeMs = 60_000;

/** How many nonces of a device may be used in that time. */
const noncesUsed = 64;

/**
 * Nonces that a device signs to show that it holds its key. A nonce carries its own end and a
 * seal, so strangers who ask for many leave nothing behind here; only those that were used, which
 * takes the device's key, are remembered until they end.
 */
export class Nonces {
  readonly #clock: Clock;
  readonly #sealKey = randomBytes(32);
  readonly #used = new Map<string, Map<string, number>>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  make(device: string): string {
    const endsAt = Math.ceil(this.#clock.monotonic() + nonceLifeMs);
    const text = `${endsAt}.${randomBytes(16).toString("base64url")}`;
    return `${text}.${this.#seal(device, text)}`;
  }

  /** Whether `nonce` was made here for `device` and has not ended. */
  isGood(device: string, nonce: string): boolean {
    const [endsAt, random, seal, ...more] = nonce.split(".");
    if (endsAt === undefined || random === undefined || seal === undefined || more.length > 0) {
      return false;
    }
    const wanted = Buffer.from(this.#seal(device, `${endsAt}.${random}`));
    const shown = Buffer.from(seal);
    const same = shown.length === wanted.length && timingSafeEqual(shown, wanted);
    return same && Number(endsAt) > this.#clock.monotonic();
  }

  /** Spends a good nonce, once: `replayed` the next time, `busy` when too many were spent. */
  use(device: string, nonce: string): "used" | "replayed" | "busy" {
    const now = this.#clock.monotonic();
    const used = this.#used.get(device) ?? new Map<string, number>();
    this.#used.set(device, used);
    for (const [text, endsAt] of used) if (endsAt <= now) used.delete(text);
    if (used.has(nonce)) return "replayed";
    if (used.size >= noncesUsed) return "busy";
    used.set(nonce, Number(nonce.split(".")[0]));
    return "used";
  }

  #seal(device: string, text: string): string {
    return createHmac("sha256", this.#sealKey).update(`${device}\n${text}`).digest("base64url");
  }
}
