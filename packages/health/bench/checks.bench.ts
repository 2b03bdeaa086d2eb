// What a check costs, and how punctual it is.
//   tooling/bin/node --conditions=@roboticks/source packages/health/bench/checks.bench.ts
import { fork } from "node:child_process";
import { once } from "node:events";
import { get } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { type Clock, systemClock } from "@roboticks/core";
import { type Check, type CheckResult, HealthMonitor, http, tcp } from "../src/index.ts";
import { CheckRunner } from "../src/runner.ts";

const rounds = 9;
const checksARound = 400;
/** So many checks, each once a second. */
const scheduled = 1_000;
const scheduledForMs = 10_000;

const server = fork(join(import.meta.dirname, "server.mjs"));
const [port] = (await once(server, "message")) as [number];
const url = `http://127.0.0.1:${port}/`;

/** Runs `work` and gives the µs of processor time that this process spent on each. */
async function cpuMicros(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  for (let done = 0; done < checksARound; done++) await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / checksARound;
}

const quantile = (values: readonly number[], part: number): number =>
  values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(part * values.length))] ??
  Number.NaN;

/** Runs `check` as a monitor does, with its timeout; what it is compared with has none. */
function running(check: Check): () => Promise<void> {
  const runner = new CheckRunner(check, 3_000, systemClock);
  const { signal } = new AbortController();
  return async () => {
    const observation = await runner.run(signal);
    if (observation?.result.status !== "pass") throw new Error(`${check.name} did not pass`);
  };
}

const contenders: Readonly<Record<string, () => Promise<unknown>>> = {
  "http check": running(http({ url })),
  "tcp check": running(tcp({ port })),
  "bare socket, connect only": () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy();
        resolve();
      }).on("error", reject);
    }),
  "bare socket, request and first bytes": () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect(port, "127.0.0.1")
        .on("error", reject)
        .once("data", () => {
          socket.destroy();
          resolve();
        });
      socket.write(`GET / HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nconnection: close\r\n\r\n`);
    }),
  "node:http without an agent": () =>
    new Promise<void>((resolve, reject) => {
      get(url, { agent: false }, (response) => {
        response.resume().on("end", resolve);
      }).on("error", reject);
    }),
  "fetch, connection: close": async () => {
    await (await fetch(url, { headers: { connection: "close" } })).text();
  },
};

async function measureCosts(): Promise<void> {
  const costs = new Map<string, number[]>();
  for (let round = 0; round <= rounds; round++) {
    for (const [name, work] of Object.entries(contenders)) {
      const micros = await cpuMicros(work);
      if (round > 0) costs.set(name, [...(costs.get(name) ?? []), micros]); // round 0 warms up
    }
  }
  const median = (name: string): number => quantile(costs.get(name) ?? [], 0.5);
  console.log(
    `Processor time of one check (median of ${rounds} × ${checksARound}, alternating):\n`,
  );
  console.log("| | µs | http check = 1 |\n|---|---|---|");
  for (const name of costs.keys()) {
    const ratio = median(name) / median("http check");
    console.log(`| ${name} | ${median(name).toFixed(0)} | ${ratio.toFixed(2)} |`);
  }
}

/** The machine's clock, which keeps how late sleeps ended; those of timeouts are aborted before. */
function observedClock(errors: number[]): Clock {
  return {
    now: systemClock.now,
    monotonic: systemClock.monotonic,
    async sleep(ms, options) {
      const due = systemClock.monotonic() + ms;
      await systemClock.sleep(ms, options);
      errors.push(systemClock.monotonic() - due);
    },
  };
}

async function measureSchedule(what: string, make: (name: string) => Check): Promise<void> {
  const errors: number[] = [];
  let runs = 0;
  let failures = 0;
  const cpu = process.cpuUsage();
  const startMs = systemClock.monotonic();
  {
    await using monitor = new HealthMonitor({ clock: observedClock(errors) });
    monitor.on("checkCompleted", ({ record }) => {
      runs++;
      if (record.status !== "pass") failures++;
    });
    for (let target = 0; target < scheduled / 10; target++) {
      const checks = Array.from({ length: 10 }, (_, at) => make(`${at}`));
      monitor.watch(`target ${target}`, checks, { intervalMs: 1_000, timeoutMs: 900 });
    }
    await systemClock.sleep(scheduledForMs);
  }
  const tookMs = systemClock.monotonic() - startMs;
  const { user, system } = process.cpuUsage(cpu);
  const late = [0.5, 0.99, 1].map((part) => quantile(errors, part).toFixed(2));
  const load = (user + system) / 10 / tookMs;
  console.log(`| ${what} | ${runs} | ${failures} | ${late.join(" | ")} | ${load.toFixed(0)} % |`);
}

await measureCosts();
console.log(`\n${scheduled} checks, each once a second, for ${scheduledForMs / 1_000} s:\n`);
console.log("| | runs | not passed | late by p50 ms | p99 ms | most ms | of one core |");
console.log("|---|---|---|---|---|---|---|");
const passed: CheckResult = { status: "pass" };
await measureSchedule("checks that do nothing", (name) => ({
  name,
  kind: "nothing",
  run: async () => passed,
}));
await measureSchedule("tcp checks", (name) => tcp({ port, name }));
await measureSchedule("http checks", (name) => http({ url, name }));
server.disconnect();
