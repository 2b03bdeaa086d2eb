const unitMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

/** The longest duration that a document may name: 400 days. */
const longestMs = 400 * unitMs.d;

/**
 * Milliseconds of a duration as documents write it: `500ms`, `10s`, `5m`, `1h30m`, `2d`.
 * Units fall from left to right; only the last number may have a fraction (`1.5s`).
 * `undefined` where `text` is none, or longer than 400 days.
 */
export function parseDuration(text: string): number | undefined {
  const match =
    /^(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m(?!s))?(?:(\d{1,9}(?:\.\d{1,3})?)s)?(?:(\d{1,9})ms)?$/.exec(
      text,
    );
  if (!match || text === "") return undefined;
  const [, d = 0, h = 0, m = 0, s = 0, ms = 0] = match.map((part) => Number(part ?? 0));
  const sum = d * unitMs.d + h * unitMs.h + m * unitMs.m + s * unitMs.s + ms;
  return sum <= longestMs ? sum : undefined;
}

/** A duration as people read it, two units at most: `1h 30m`, `12.4s`, `340ms`. */
export function formatDuration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  if (ms < unitMs.m) {
    const seconds = ms / 1_000;
    return `${seconds < 10 ? Number(seconds.toFixed(1)) : Math.round(seconds)}s`;
  }
  const units = (["d", "h", "m", "s"] as const).map((unit) => [unit, unitMs[unit]] as const);
  const parts: string[] = [];
  let rest = Math.round(ms / 1_000) * 1_000;
  for (const [unit, size] of units) {
    const count = Math.floor(rest / size);
    rest -= count * size;
    if (count > 0) parts.push(`${count}${unit}`);
    else if (parts.length > 0) break;
  }
  return parts.slice(0, 2).join(" ");
}
