import { describe, expect, it } from "vitest";
import { formatDsn, parseDsn } from "../src/dsn.ts";

const key = "k3y-of_16-or-more";
const digest = `sha256:${"ab".repeat(32)}` as const;

describe("a DSN", () => {
  it.each([
    [`https://${key}@fleet.example.com/acme`, "https://fleet.example.com", undefined],
    [
      `https://${key}@fleet.example.com:8443/acme#${digest}`,
      "https://fleet.example.com:8443",
      digest,
    ],
    [`http://${key}@127.0.0.1:41873/acme`, "http://127.0.0.1:41873", undefined],
    [`http://${key}@localhost:1/acme`, "http://localhost:1", undefined],
    [`http://${key}@[::1]:1/acme`, "http://[::1]:1", undefined],
  ])("%s is read, and written the same", (text, endpoint, rootDigest) => {
    const dsn = parseDsn(`${text}\n`);
    expect(dsn).toEqual({ endpoint, project: "acme", key, ...(rootDigest && { rootDigest }) });
    expect(formatDsn(dsn)).toBe(text);
  });

  it.each([
    ["", "is no URL"],
    ["fleet.example.com/acme", "is no URL"],
    [`http://${key}@fleet.example.com/acme`, "is not https (http is taken for loopback only)"],
    [`http://${key}@localhost.example.com/acme`, "is not https (http is taken for loopback only)"],
    [`ftp://${key}@localhost/acme`, "is not https (http is taken for loopback only)"],
    ["https://fleet.example.com/acme", "has no key (16 to 128 of A-Z, a-z, 0-9, _ and -)"],
    ["https://short@fleet.example.com/acme", "has no key (16 to 128 of A-Z, a-z, 0-9, _ and -)"],
    [`https://${key}:secret@fleet.example.com/acme`, "has a password or a query, and takes none"],
    [`https://${key}@fleet.example.com/acme?x=1`, "has a password or a query, and takes none"],
    [`https://${key}@fleet.example.com/`, "names no project"],
    [`https://${key}@fleet.example.com/a/b`, "names no project"],
    [`https://${key}@fleet.example.com/acme#sha256:00`, "has a fragment that is no sha256 digest"],
  ])("%j is refused, and its key is kept out of the message", (text, why) => {
    expect(() => parseDsn(text)).toThrow(
      expect.objectContaining({
        code: "ERR_SPEC_DSN",
        message: `the DSN ${why}; it has the form https://KEY@HOST/PROJECT#sha256:DIGEST`,
      }),
    );
  });
});
