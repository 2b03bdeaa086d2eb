import { createHash, randomBytes } from "node:crypto";
import { open, realpath, rename, unlink } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, sep } from "node:path";
import type { Digest } from "@roboticks/core/digest";
import { syncFolder } from "@roboticks/core/fs";
import { PackError, systemError } from "./errors.ts";

/**
 * Refuses an archive within the folder that it is made from: the next packing would take it in.
 *
 * @throws {PackError} `ERR_PACK_OUTPUT`, also where its folder does not exist
 */
export async function checkOutput(path: string, folder: string): Promise<void> {
  let place: string;
  try {
    place = await realpath(dirname(path));
  } catch (cause) {
    throw new PackError("ERR_PACK_OUTPUT", `there is no folder ${dirname(path)} to write to`, {
      cause,
    });
  }
  const way = relative(await realpath(folder), place);
  const isOutside = way === ".." || way.startsWith(`..${sep}`) || isAbsolute(way);
  if (!isOutside) {
    throw new PackError(
      "ERR_PACK_OUTPUT",
      `${path} lies in the folder that is packed; choose an output outside of it`,
    );
  }
}

/**
 * Writes `pieces` to `path`, which has the old or the new content, whole, whatever happens.
 *
 * @throws {PackError} `ERR_PACK_WRITE`; what `pieces` throws
 */
export async function writeOutput(
  path: string,
  pieces: AsyncIterable<Buffer>,
): Promise<{ readonly digest: Digest; readonly size: number }> {
  const name = `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`;
  const temporary = join(dirname(path), name);
  const hash = createHash("sha256");
  let size = 0;
  try {
    {
      await using file = await open(temporary, "wx", 0o644);
      for await (const piece of pieces) {
        hash.update(piece);
        size += piece.length;
        await file.writeFile(piece);
      }
      await file.sync();
    }
    await rename(temporary, path);
    await syncFolder(dirname(path));
  } catch (error) {
    await unlink(temporary).catch(() => {}); // it may never have been made, or be renamed already
    throw systemError("ERR_PACK_WRITE", path, error);
  }
  return { digest: `sha256:${hash.digest("hex")}`, size };
}
