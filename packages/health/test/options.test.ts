import { describe, expect, it } from "vitest";
import { resolveOptions } from "../src/options.ts";

describe("check options", () => {
  it("have defaults", () => {
    expect(resolveOptions("a")).toEqual({
      intervalMs: 10_000,
      timeoutMs: 3_000,
      startPeriodMs: 60_000,
      successThreshold: 1,
      failureThreshold: 3,
      windowSize: 10,
      windowFailed: 0.6,
    });
  });

  it("come from the check, then from the target", () => {
    const own = { intervalMs: 1, timeoutMs: undefined };
    const shared = { intervalMs: 2, timeoutMs: 5, failureThreshold: 7 };
    expect(resolveOptions("a", own, shared)).toMatchObject({
      intervalMs: 1,
      timeoutMs: 5,
      failureThreshold: 7,
      windowSize: 10,
    });
  });

  it.each([
    { intervalMs: 0 },
    { intervalMs: Number.NaN },
    { timeoutMs: Number.POSITIVE_INFINITY },
    { startPeriodMs: -1 },
    { successThreshold: 0 },
    { failureThreshold: 1.5 },
    { windowSize: 0 },
    { windowFailed: 0 },
    { windowFailed: 1.1 },
  ])("refuse %j", (options) => {
    const [name = ""] = Object.keys(options);
    expect(() => resolveOptions("check a", options)).toThrow(
      expect.objectContaining({
        code: "ERR_HEALTH_INVALID_OPTION",
        message: expect.stringContaining(`check a: ${name} is`),
      }),
    );
  });
});
