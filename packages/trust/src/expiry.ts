/** When documents expire is told in RFC 3339, in UTC, to the second, as TUF does. */
const pattern = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z$/;

/** Whether `value` is such a time, and one that the calendar has. */
export function isExpiry(value: unknown): value is string {
  if (typeof value !== "string" || !pattern.test(value)) return false;
  const ms = Date.parse(value);
  // Date.parse takes 31 February for 3 March.
  return !Number.isNaN(ms) && formatExpiry(ms) === value;
}

/** The time `ms` (milliseconds since 1970) as documents tell it: `2027-01-31T12:00:00Z`. */
export function formatExpiry(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d{3}Z$/, "Z");
}

/**
 * Whether what expires at `expires` has done so at `nowMs` (milliseconds since 1970, from a
 * clock that the caller trusts). What is no such time counts as expired.
 */
export function isExpired(expires: string, nowMs: number): boolean {
  return !(isExpiry(expires) && nowMs < Date.parse(expires));
}
