import type { Report } from "@roboticks/spec/report";

/** What one request may hold: the API's count, and less than the 1 MiB that a platform takes. */
const maxCount = 100;
const maxBytes = 900 * 2 ** 10;

/** `reports` in their order, cut into pieces that fit a request; one alone always passes. */
export function* reportBatches(reports: readonly Report[]): Generator<readonly Report[]> {
  const encoder = new TextEncoder();
  let batch: Report[] = [];
  let bytes = 0;
  for (const report of reports) {
    const size = encoder.encode(JSON.stringify(report)).byteLength + 1;
    if (batch.length > 0 && (batch.length >= maxCount || bytes + size > maxBytes)) {
      yield batch;
      batch = [];
      bytes = 0;
    }
    batch.push(report);
    bytes += size;
  }
  if (batch.length > 0) yield batch;
}
