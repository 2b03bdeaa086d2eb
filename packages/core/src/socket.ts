import { open } from "node:fs/promises";
import { basename, dirname } from "node:path";

/** The kernel keeps the path of a unix socket in so many bytes, the final NUL included. */
const longestPath = process.platform === "linux" ? 108 : 104;

/** A path for `bind` or `connect`; good until it is disposed. */
export interface SocketPath extends AsyncDisposable {
  readonly path: string;
}

/**
 * A path to the unix socket at `path` that is short enough for the kernel, which refuses one of
 * more than 107 bytes (103 on a Mac). On Linux a longer one is reached through its open folder.
 *
 * @throws what opening the folder threw; a `RangeError` where a long path cannot be helped
 */
export async function socketPath(path: string): Promise<SocketPath> {
  if (Buffer.byteLength(path) < longestPath) {
    return { path, async [Symbol.asyncDispose]() {} };
  }
  const name = basename(path);
  if (process.platform !== "linux" || Buffer.byteLength(name) > 64) {
    throw new RangeError(
      `${path} is too long for a socket (${longestPath - 1} bytes at most); choose a shorter folder`,
    );
  }
  const folder = await open(dirname(path), "r");
  return {
    path: `/proc/self/fd/${folder.fd}/${name}`,
    [Symbol.asyncDispose]: () => folder.close(),
  };
}
