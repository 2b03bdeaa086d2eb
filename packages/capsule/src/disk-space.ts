import { statfs } from "node:fs/promises";
import { formatSize } from "@roboticks/core";
import type { CapsuleManifest } from "@roboticks/spec/capsule";
import { CapsuleError } from "./errors.ts";

/**
 * Whether the files of `manifest` fit on the disk of `folder`, with a reserve left over: a robot
 * whose disk is full cannot even say so. `reserveBytes` default: the larger of 200 MB and 5 %.
 *
 * @throws {CapsuleError} `ERR_CAPSULE_NO_SPACE`
 */
export async function checkSpace(
  folder: string,
  { name, version, files }: CapsuleManifest,
  reserveBytes?: number,
): Promise<void> {
  const { bsize, blocks, bavail } = await statfs(folder);
  const reserve = reserveBytes ?? Math.max(200e6, 0.05 * blocks * bsize);
  // Every file takes whole blocks; a link or an empty one takes about as much as a block, too.
  const needed = files.reduce(
    (sum, file) => sum + bsize * Math.max(1, "size" in file ? Math.ceil(file.size / bsize) : 1),
    0,
  );
  const available = bavail * bsize;
  if (needed + reserve <= available) return;
  throw new CapsuleError(
    "ERR_CAPSULE_NO_SPACE",
    `${name}@${version} needs ${formatSize(needed)} and a reserve of ${formatSize(reserve)} must stay free, but ${formatSize(available)} are available; remove capsules that are not needed, or free space otherwise`,
    { retryable: true },
  );
}
