// How long a program is gone after `kill -9`: the supervisor against a bare loop over Node's
// own child_process, in turn, in one run.
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { constants } from "node:fs";
import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ProcessSupervisor } from "../src/index.ts";

const rounds = Number(process.argv[2] ?? 60);
const folder = await mkdtemp(join(tmpdir(), "restart-bench-"));
const fifo = join(folder, "fifo");
spawnSync("mkfifo", [fifo]);
// Open for both, so that neither side ever waits for the other or reads an end.
const reader = await open(fifo, constants.O_RDWR);
// The program's first act is to say its pid.
const script = `echo $$ >${fifo}; exec sleep 86400`;

const buffer = Buffer.alloc(64);
async function nextPid(): Promise<number> {
  const { bytesRead } = await reader.read(buffer);
  return Number(buffer.toString("utf8", 0, bytesRead));
}

let child: ChildProcess;
let isOver = false;
const respawn = (): void => {
  child = spawn("/bin/sh", ["-c", script], { stdio: "ignore", detached: true, env: {}, cwd: "/" });
  child.once("exit", () => isOver || respawn());
};
respawn();
let bare = await nextPid();

const supervisor = await ProcessSupervisor.open({
  root: join(folder, "root"),
  restartBackoff: { resetAfterMs: 0 }, // every restart is the first one: at once
});
await supervisor.start("bench", {
  command: "/bin/sh",
  arguments: ["-c", script],
  environment: { PATH: "/usr/bin:/bin" },
  workingDirectory: "/",
  restart: "always",
});
let kept = await nextPid();

async function restart(pid: number): Promise<{ readonly pid: number; readonly ms: number }> {
  await new Promise((resolve) => setTimeout(resolve, 50)); // let the last one come to rest
  const from = performance.now();
  process.kill(pid, "SIGKILL");
  const next = await nextPid();
  return { pid: next, ms: performance.now() - from };
}

const times = { supervisor: [] as number[], bare: [] as number[] };
for (let round = 0; round < rounds + 5; round++) {
  const ours = await restart(kept);
  kept = ours.pid;
  const theirs = await restart(bare);
  bare = theirs.pid;
  if (round < 5) continue; // warming up
  times.supervisor.push(ours.ms);
  times.bare.push(theirs.ms);
}

isOver = true;
process.kill(bare, "SIGKILL");
await supervisor.stop("bench");
await supervisor[Symbol.asyncDispose]();
await reader.close();
await rm(folder, { recursive: true });

const quantile = (values: readonly number[], part: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) * part)] ?? Number.NaN;
const row = (name: string, values: readonly number[]): string =>
  `| ${name} | ${quantile(values, 0.5).toFixed(2)} | ${quantile(values, 0.95).toFixed(2)} | ${(quantile(values, 0.5) / quantile(times.bare, 0.5)).toFixed(2)} |`;
console.log(`| restart after kill -9, ${rounds} rounds | p50 ms | p95 ms | p50 / bare |
|---|---|---|---|
${row("ProcessSupervisor", times.supervisor)}
${row("bare child_process respawn", times.bare)}`);
