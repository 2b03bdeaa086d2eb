import { describe, expect, it } from "vitest";
import { backoffMs, retry } from "../src/index.ts";
import { ManualClock } from "../src/testing/index.ts";

describe("backoffMs", () => {
  it("doubles up to the cap", () => {
    const pauses = [1, 2, 3, 4, 5].map((failures) =>
      backoffMs(failures, { initialMs: 100, capMs: 500, jitter: 0 }),
    );
    expect(pauses).toEqual([100, 200, 400, 500, 500]);
  });

  it("draws from the whole pause with full jitter", () => {
    expect(backoffMs(1, { initialMs: 100, random: () => 0.25 })).toBe(25);
  });

  it("stays finite after very many failures", () => {
    expect(backoffMs(1e6, { jitter: 0 })).toBe(300_000);
  });
});

describe("retry", () => {
  const failing = (times: number) => {
    let calls = 0;
    return async () => {
      if (++calls <= times) throw new Error(`failure ${calls}`);
      return calls;
    };
  };

  it("goes on until it works, and says what failed", async () => {
    const clock = new ManualClock();
    const seen: string[] = [];
    const result = retry(failing(2), {
      clock,
      jitter: 0,
      onRetry: ({ error, pauseMs }) => seen.push(`${(error as Error).message} ${pauseMs}`),
    });
    await clock.advance(3_000);
    expect(await result).toBe(3);
    expect(seen).toEqual(["failure 1 1000", "failure 2 2000"]);
  });

  it("throws the last error when the attempts are used up", async () => {
    await expect(retry(failing(3), { attempts: 2, initialMs: 0 })).rejects.toThrow("failure 2");
  });

  it("does not repeat what cannot succeed", async () => {
    await expect(retry(failing(1), { retryable: () => false })).rejects.toThrow("failure 1");
  });

  it("stops waiting on abort", async () => {
    const clock = new ManualClock();
    const abort = new AbortController();
    const result = retry(failing(9), { clock, signal: abort.signal });
    const refused = expect(result).rejects.toThrow("stopped");
    await clock.advance(0);
    abort.abort(new Error("stopped"));
    await refused;
    expect(clock.sleeping).toBe(0);
  });
});
