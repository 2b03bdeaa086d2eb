import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ManualClock } from "@roboticks/core/testing";
import { expect, it } from "vitest";
import { redirected } from "../src/download.ts";
import { CapsuleManager } from "../src/index.ts";
import { testCapsule } from "./archives.ts";
import { serve } from "./server.ts";

it("a redirect stays on http(s), and never falls from https to http", () => {
  const from = new URL("https://example.com/a/b");
  expect(redirected(from, "../c").href).toBe("https://example.com/c");
  expect(redirected(from, "https://example.org/").href).toBe("https://example.org/");
  expect(redirected(new URL("http://a/"), "https://b/").href).toBe("https://b/");
  for (const location of ["http://example.com/a", "ftp://example.com/", "https://"]) {
    expect(() => redirected(from, location)).toThrow(
      expect.objectContaining({ code: "ERR_CAPSULE_DOWNLOAD", retryable: false }),
    );
  }
});

it("a server's wish for a pause is kept to", async () => {
  const root = await mkdtemp(join(tmpdir(), "capsule-"));
  const clock = new ManualClock();
  const hello = testCapsule();
  const times: number[] = [];
  await using server = await serve((_, response, count) => {
    times.push(clock.monotonic());
    if (count === 1) return response.writeHead(503, { "retry-after": "20" }).end();
    response.end(hello.archive);
  });
  await using capsules = await CapsuleManager.open({
    root,
    clock,
    diskReserveBytes: 0,
    idleTimeoutMs: 1e9,
  });
  let done = false;
  const install = capsules.install({ url: server.url, digest: hello.digest }).finally(() => {
    done = true;
  });
  while (!done) await clock.advance(100);
  expect((await install).name).toBe("hello");
  expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(20_000);
  await rm(root, { recursive: true });
});
