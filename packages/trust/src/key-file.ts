import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { type FileHandle, link, open, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { toError } from "@roboticks/core";
import { isSystemError, syncFolder } from "@roboticks/core/fs";
import { TrustError } from "./errors.ts";
import { exportPrivateKey, importPrivateKey, type KeyPair } from "./keys.ts";

/** No PEM of a single key is longer, in bytes. */
const longestFile = 16_384;

/**
 * The key pair in a file that {@link writeKeyFile} wrote.
 *
 * @throws {TrustError} `ERR_TRUST_KEY_EXPOSED` where its group or others may read or write it:
 *   the key may be known already
 * @throws {TrustError} `ERR_TRUST_KEY_INVALID` where it holds no Ed25519 private key
 * @throws {TrustError} `ERR_TRUST_IO` where it cannot be read; `cause` has the system's code,
 *   `ENOENT` when there is no such file
 */
export async function readKeyFile(path: string): Promise<KeyPair> {
  const pem = await readPrivate(path);
  try {
    return importPrivateKey(pem);
  } catch (cause) {
    throw new TrustError(
      "ERR_TRUST_KEY_INVALID",
      `${path} holds no Ed25519 private key in PEM; restore it, or make a new key`,
      { cause },
    );
  }
}

/**
 * Keeps `keyPair` in a new file with mode 0600, on disk once it resolves. After a power cut the
 * file is there whole or not at all, and what was there is never replaced: a key that is
 * overwritten is a device that nobody knows any more.
 *
 * @throws {TrustError} `ERR_TRUST_KEY_EXISTS` where `path` is taken
 * @throws {TrustError} `ERR_TRUST_IO` where it cannot be written
 */
export async function writeKeyFile(path: string, keyPair: KeyPair): Promise<void> {
  const folder = dirname(path);
  const temporary = join(folder, `.${basename(path)}.${randomBytes(6).toString("hex")}.tmp`);
  try {
    try {
      await writeSynced(temporary, exportPrivateKey(keyPair));
      await link(temporary, path); // unlike rename, refuses a name that is taken
    } finally {
      await unlink(temporary).catch(() => {}); // it may never have been made
    }
    await syncFolder(folder);
  } catch (cause) {
    if (isSystemError(cause, "EEXIST")) {
      throw new TrustError(
        "ERR_TRUST_KEY_EXISTS",
        `${path} exists, and keys are never replaced; read it, or choose another name`,
        { cause },
      );
    }
    throw new TrustError(
      "ERR_TRUST_IO",
      `the key cannot be written to ${path} (${toError(cause).message}); mend the folder and try again`,
      { cause },
    );
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  await using file = await open(path, "wx", 0o600);
  await file.chmod(0o600); // whatever the umask
  await file.writeFile(text);
  await file.sync();
}

async function readPrivate(path: string): Promise<string> {
  try {
    // Not blocking, because a pipe in the file's place would otherwise wait for a writer.
    await using file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
    await checkPrivate(file, path);
    return await file.readFile("utf8");
  } catch (cause) {
    if (cause instanceof TrustError) throw cause;
    throw new TrustError(
      "ERR_TRUST_IO",
      `the key in ${path} cannot be read (${toError(cause).message}); check the path and its owner`,
      { cause },
    );
  }
}

/** Asks the open file, not the path, so that nobody can exchange it in between. */
async function checkPrivate(file: FileHandle, path: string): Promise<void> {
  const stats = await file.stat();
  if (!stats.isFile() || stats.size > longestFile) {
    throw new TrustError("ERR_TRUST_KEY_INVALID", `${path} is no key file; check the path`);
  }
  const open = stats.mode & 0o077;
  if (open === 0) return;
  const mode = (stats.mode & 0o777).toString(8).padStart(4, "0");
  throw new TrustError(
    "ERR_TRUST_KEY_EXPOSED",
    `the private key in ${path} is open to others (mode ${mode}); if they may have read it, make a new key, else chmod 600`,
  );
}
