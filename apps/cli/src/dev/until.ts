import { systemClock } from "@roboticks/core";
import { CliError } from "../errors.ts";

/** Options of {@link until}. */
export interface UntilOptions {
  /** Default 30,000. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Looks every 50 ms until `look` gives something; what it throws counts as nothing yet.
 *
 * @throws {CliError} `ERR_CLI_DEV_START` when it takes too long, with what was thrown last
 */
export async function until<Found>(
  what: string,
  look: () => Promise<Found | undefined | false>,
  { timeoutMs = 30_000, signal }: UntilOptions = {},
): Promise<Found> {
  const end = systemClock.monotonic() + timeoutMs;
  for (let last: unknown; ; ) {
    try {
      const found = await look();
      if (found !== undefined && found !== false) return found;
    } catch (error) {
      if (error instanceof CliError) throw error;
      last = error;
    }
    if (systemClock.monotonic() > end) {
      const why = last instanceof Error ? `: ${last.message}` : "";
      throw new CliError(
        "ERR_CLI_DEV_START",
        `${what} took longer than ${timeoutMs / 1_000} s${why}`,
        {
          cause: last,
        },
      );
    }
    await systemClock.sleep(50, signal ? { signal } : {});
  }
}
