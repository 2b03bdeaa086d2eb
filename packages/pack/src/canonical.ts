/**
 * JSON with one spelling for one value, as RFC 8785 has it: keys sorted, no whitespace. A
 * capsule's digest is that of these bytes, so it is the same on every machine.
 *
 * @param value plain data, as a schema or `JSON.parse` returns it; members that are `undefined`
 * are left out
 */
export function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const members = Object.entries(value)
    .filter(([, member]) => member !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, member]) => `${JSON.stringify(key)}:${canonicalJson(member)}`);
  return `{${members.join(",")}}`;
}
