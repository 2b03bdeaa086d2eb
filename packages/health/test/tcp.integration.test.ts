import { execFile } from "node:child_process";
import { createServer } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";
import { systemClock } from "@roboticks/core";
import { describe, expect, it } from "vitest";
import { type CheckResult, HealthMonitor, type TcpOptions, tcp } from "../src/index.ts";
import { closedPort, RawServer } from "./servers.ts";

const run = (options: TcpOptions, signal = new AbortController().signal): Promise<CheckResult> =>
  tcp(options).run({ signal, clock: systemClock });

describe("tcp", () => {
  it("passes where a connection is accepted, and closes it", async () => {
    await using server = await RawServer.open(() => {});
    expect(await run({ port: server.port })).toEqual({ status: "pass" });
    await server.idle();
  });

  it("reaches IPv6", async () => {
    await using server = await RawServer.open(() => {}, "::1");
    expect(await run({ host: "::1", port: server.port })).toEqual({ status: "pass" });
  });

  it("fails where nobody listens", async () => {
    const port = await closedPort();
    expect(await run({ port })).toEqual({
      status: "fail",
      reason: `connection refused (127.0.0.1:${port})`,
    });
  });

  it("could not tell where this process has no file descriptor left", async () => {
    await using server = await RawServer.open(() => {});
    const script = join(import.meta.dirname, "out-of-descriptors.ts");
    const { stdout } = await promisify(execFile)("sh", [
      "-c",
      'ulimit -n 64 && exec "$@"',
      "sh",
      process.execPath,
      "--conditions=@roboticks/source",
      script,
      String(server.port),
    ]);
    expect(JSON.parse(stdout)).toEqual({
      before: { status: "pass" },
      after: { status: "unknown", reason: `could not try 127.0.0.1:${server.port}: EMFILE` },
    });
  });

  it("does not begin once it is aborted", async () => {
    await using server = await RawServer.open(() => {});
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(run({ port: server.port }, signal)).rejects.toThrow("enough");
    expect(server.accepted).toBe(0);
  });
});

describe("a monitor on the machine's clock", () => {
  it("sees a service come, go and come back", async () => {
    const port = await closedPort();
    await using monitor = new HealthMonitor();
    const target = monitor.watch("service", [tcp({ port })], {
      intervalMs: 20,
      failureThreshold: 2,
      windowSize: 1_000,
    });
    const reached = (verdict: string): Promise<void> =>
      new Promise((resolve) => {
        const heard = target.on("verdictChanged", ({ to }) => {
          if (to !== verdict) return;
          heard[Symbol.dispose]();
          resolve();
        });
      });
    const listen = () =>
      createServer((socket) => socket.on("error", () => {})).listen(port, "127.0.0.1");

    let healthy = reached("healthy");
    let server = listen();
    await healthy;
    const gone = reached("unhealthy");
    server.close();
    await gone;
    expect(target.cause?.reason).toContain("connection refused");
    healthy = reached("healthy");
    server = listen();
    await healthy;
    expect(target.statistics().flaps).toBe(1);
    server.close();
  });
});
