import { healthCheckSchema } from "@roboticks/spec/deployment";
import { describe, expect, it } from "vitest";
import { AgentError } from "../src/errors.ts";
import { checksOf } from "../src/health.ts";

const parse = (checks: object[]) => checks.map((check) => healthCheckSchema.parse(check));

describe("checksOf", () => {
  it("names checks by kind, a second one with its number; process adds none", () => {
    const checks = checksOf(
      parse([
        { http: { port: 80 } },
        { tcp: { port: 81 } },
        { process: {} },
        { http: { port: 82 } },
        { http: { port: 83 } },
      ]),
      {},
    );
    expect(checks.map(({ name, kind }) => [name, kind])).toEqual([
      ["http", "http"],
      ["tcp", "tcp"],
      ["http-2", "http"],
      ["http-3", "http"],
    ]);
  });

  it("takes times and thresholds from the document, and the documented defaults else", () => {
    const own = {
      interval: "500ms",
      timeout: "1s",
      startPeriod: "3s",
      successThreshold: 2,
      failureThreshold: 4,
    };
    const checks = checksOf(parse([{ tcp: { port: 1, ...own } }, { tcp: { port: 1 } }]), {});
    expect(checks.map(({ options }) => options)).toEqual([
      {
        intervalMs: 500,
        timeoutMs: 1_000,
        startPeriodMs: 3_000,
        successThreshold: 2,
        failureThreshold: 4,
      },
      {
        intervalMs: 10_000,
        timeoutMs: 3_000,
        startPeriodMs: 60_000,
        successThreshold: 1,
        failureThreshold: 3,
      },
    ]);
  });

  it("has a port from the environment that the use gets on this device", () => {
    const checks = parse([{ tcp: { port: "${PORT}" } }, { http: { port: "${PORT}" } }]);
    expect(checksOf(checks, { PORT: "1" })).toHaveLength(2);
    expect(checksOf(checks, { PORT: "65535" })).toHaveLength(2);
  });

  it.each([undefined, "", "0", "65536", "080", "8080x", "-1", "1e3", " 80"])(
    "refuses %j as the value of a port",
    (value) => {
      const [check] = parse([{ tcp: { port: "${PORT}" } }]);
      const variables: Record<string, string> = value === undefined ? {} : { PORT: value };
      const failure = () => checksOf(check ? [check] : [], variables);
      expect(failure).toThrow(AgentError);
      const said = value === undefined ? "is not set" : `is "${value}", no port`;
      expect(failure).toThrow(`a check's port is \${PORT}, but PORT ${said}`);
    },
  );
});
