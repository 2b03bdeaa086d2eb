import { stat } from "node:fs/promises";
import { resolve } from "node:path";
import { type Digest, digestOf } from "@roboticks/core/digest";
import type { CapsuleManifest } from "@roboticks/spec/capsule";
import { PackError } from "./errors.ts";
import { readTable } from "./folder.ts";
import { type Compression, compressFrames, cutFrames } from "./frames.ts";
import { makeManifest, readSource } from "./manifest.ts";
import { checkOutput, writeOutput } from "./output.ts";
import { manifestEntry, tarOf } from "./tar.ts";

/** How far packing is. */
export interface PackProgress {
  /** Bytes of the tar that were read into the archive. */
  readonly packedBytes: number;
  /** Bytes of all files; the tar has a little more. */
  readonly totalBytes: number;
}

/** Options of {@link packCapsule}. */
export interface PackOptions {
  /** The folder with `capsule.json` and all files of the capsule. */
  readonly folder: string;
  /**
   * The archive's path, outside of `folder`; replaced if it is there. Default
   * `<name>-<version>.tar.zst` (or `.tar.gz`) in the current folder.
   */
  readonly output?: string;
  /** Default: gzip for an `output` that ends in `.gz` or `.tgz`, else zstd. */
  readonly compression?: Compression;
  /** Ends the packing; no archive is left. */
  readonly signal?: AbortSignal;
  /** Told once for every frame of 4 MiB. What it throws ends the packing. */
  readonly onProgress?: (progress: PackProgress) => void;
}

/** A capsule that was packed. */
export interface PackedCapsule {
  /** The archive's absolute path. */
  readonly path: string;
  /** The capsule's digest: that of its manifest. The same in whatever archive it travels. */
  readonly digest: Digest;
  readonly manifest: CapsuleManifest;
  /** What travels. Its digest depends on compression, and on the compressor's version. */
  readonly archive: { readonly digest: Digest; readonly size: number };
}

/**
 * Makes a capsule's archive from a folder. The same files give the same bytes on every machine:
 * in byte order of their paths, without owners and times, with modes 0644 or 0755 (what its
 * owner may execute).
 *
 * @throws {PackError} for what a device would refuse, and for what cannot be read or written
 * @throws {SpecError} for what is wrong with `capsule.json`
 * @throws `signal.reason` once `signal` is aborted
 */
export async function packCapsule({
  folder,
  output,
  compression = output !== undefined && /\.t?gz$/.test(output) ? "gzip" : "zstd",
  signal,
  onProgress,
}: PackOptions): Promise<PackedCapsule> {
  signal?.throwIfAborted();
  await checkFolder(folder);
  const source = await readSource(folder);
  const suffix = compression === "gzip" ? "gz" : "zst";
  const path = resolve(output ?? `${source.name}-${source.version}.tar.${suffix}`);
  await checkOutput(path, folder);
  const table = await readTable(folder, signal);
  const { manifest, bytes } = await makeManifest(folder, source, table);
  const totalBytes = table.reduce((sum, entry) => sum + ("link" in entry ? 0 : entry.size), 0);

  async function* frames(): AsyncGenerator<Buffer, void, undefined> {
    yield manifestEntry(bytes);
    let packedBytes = 0;
    for await (const frame of cutFrames(tarOf(folder, table, signal))) {
      signal?.throwIfAborted();
      yield frame;
      packedBytes += frame.length;
      onProgress?.({ packedBytes, totalBytes });
    }
  }
  const archive = await writeOutput(path, compressFrames(frames(), compression));
  return { path, digest: digestOf(bytes), manifest, archive };
}

async function checkFolder(folder: string): Promise<void> {
  const refuse = (cause?: unknown): PackError =>
    new PackError("ERR_PACK_FOLDER", `${folder} is no folder; name the one that has capsule.json`, {
      cause,
    });
  const found = await stat(folder).catch((cause: unknown) => {
    throw refuse(cause);
  });
  if (!found.isDirectory()) throw refuse();
}
