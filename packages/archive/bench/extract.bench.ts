// Installing one capsule: extractArchive against the system's tar with a digest of the archive
// beside it. Run with `node --conditions=@roboticks/source bench/extract.bench.ts [RUNS]`.
import { execFileSync } from "node:child_process";
import { createReadStream, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { extractArchive } from "../src/index.ts";
import {
  type Compression,
  type Contents,
  compress,
  end,
  entriesOf,
  file,
  manifestOf,
  readTable,
  tableOf,
} from "../test/tiny-tar.ts";

const frameBytes = 4 * 2 ** 20;
const here = fileURLToPath(import.meta.url);

if (process.argv[2] === "--extract")
  await extractOnce(process.argv[3] ?? "", process.argv[4] ?? "");
else await compare(Number(process.argv[2] ?? 5));

/** Runs in a process of its own, so that its peak of memory is that of one installation. */
async function extractOnce(archive: string, into: string): Promise<void> {
  const start = performance.now();
  await extractArchive({ source: createReadStream(archive), into, accept: readTable });
  const ms = performance.now() - start;
  // Not resourceUsage().maxRSS: that begins with what the parent had when it forked.
  const peak = /VmHWM:\s*(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1];
  console.log(JSON.stringify({ ms, rssMb: Number(peak) / 1024 }));
}

async function compare(runs: number): Promise<void> {
  const contents = sampleContents();
  console.log(
    "| where | format | tar, ms | + sync -f, ms | archive, ms | ratio | ratio to synced | peak MB |",
  );
  console.log("|---|---|---|---|---|---|---|---|");
  for (const [where, base] of [
    ["tmpfs", "/dev/shm"],
    ["disk", tmpdir()],
  ] as const) {
    const folder = await mkdtemp(join(base, "extract-bench-"));
    try {
      for (const compression of ["gzip", "zstd"] as const) {
        const archive = join(folder, `sample.${compression}`);
        writeArchive(archive, contents, compression);
        console.log(
          `| ${where} | ${compression} | ${(await row(folder, archive, compression, runs)).join(" | ")} |`,
        );
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  }
}

async function row(folder: string, archive: string, compression: Compression, runs: number) {
  const into = join(folder, "into");
  const tar: number[] = [];
  const synced: number[] = [];
  const own: number[] = [];
  const rss: number[] = [];
  for (let run = 0; run < runs; run++) {
    await mkdir(into);
    const start = performance.now();
    const pipe = `set -o pipefail; tee >(sha256sum >/dev/null) <"$1" | ${compression} -dc | tar x -C "$2"`;
    execFileSync("bash", ["-c", pipe, "bash", archive, into]);
    tar.push(performance.now() - start);
    execFileSync("sync", ["-f", into]);
    synced.push(performance.now() - start);
    await rm(into, { recursive: true });
    const args = ["--conditions=@roboticks/source", here, "--extract", archive, into];
    const result = JSON.parse(execFileSync(process.execPath, args, { encoding: "utf8" }));
    own.push(result.ms);
    rss.push(result.rssMb);
    await rm(into, { recursive: true });
  }
  const [a, b, c] = [median(tar), median(synced), median(own)];
  return [
    a.toFixed(0),
    b.toFixed(0),
    c.toFixed(0),
    (a / c).toFixed(2),
    (b / c).toFixed(2),
    median(rss).toFixed(0),
  ];
}

/** About 170 MB: this Node, and 1,500 smaller files as a program of that size brings along. */
function sampleContents(): Contents {
  const types = fileURLToPath(new URL("../../../node_modules/@types/node", import.meta.url));
  const small = readdirSync(types, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => [entry.name, readFileSync(join(entry.parentPath, entry.name))] as const);
  const copies = Array.from({ length: 20 }, (_, copy) =>
    small.map(([name, bytes], index) => [`lib/${copy}/${index}-${name}`, bytes] as const),
  );
  return Object.fromEntries([["bin/node", readFileSync(process.execPath)], ...copies.flat()]);
}

function writeArchive(path: string, contents: Contents, compression: Compression): void {
  const tar = Buffer.concat([...entriesOf(contents), end]);
  const frames = [file("capsule.json", manifestOf(tableOf(contents)))];
  for (let at = 0; at < tar.length; at += frameBytes)
    frames.push(tar.subarray(at, at + frameBytes));
  writeFileSync(path, Buffer.concat(compress(compression, frames)));
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}
