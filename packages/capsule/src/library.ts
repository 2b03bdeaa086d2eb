import { mkdir, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Logger, toError } from "@roboticks/core";
import { type Digest, isDigest } from "@roboticks/core/digest";
import { isSystemError, syncFolder } from "@roboticks/core/fs";
import type { CapsuleManifest } from "@roboticks/spec/capsule";
import type { Capsule } from "./capsule.ts";
import { ioError } from "./errors.ts";
import { folderNameOf, type Layout, manifestPath } from "./layout.ts";
import { readManifestBytes } from "./manifest.ts";

/** The capsules that are installed. The folders are all there is to know: nothing is cached. */
export class Library {
  readonly #layout: Layout;
  readonly #logger: Logger;

  constructor(layout: Layout, logger: Logger) {
    this.#layout = layout;
    this.#logger = logger;
  }

  /** Makes the folders, and clears what an interrupted install or removal left behind. */
  async open(): Promise<void> {
    const { staging, capsules, data } = this.#layout;
    try {
      for (const folder of [capsules, data]) await mkdir(folder, { recursive: true });
      await mkdir(staging, { recursive: true, mode: 0o700 });
      for (const leftOver of await readdir(staging)) {
        this.#logger.info({ leftOver }, "an interrupted install is cleared away");
        await rm(join(staging, leftOver), { recursive: true, force: true });
      }
    } catch (cause) {
      throw ioError(`open ${staging}`, cause);
    }
  }

  /** The capsule of that digest, when its folder is there and its manifest is the right one. */
  async find(digest: Digest): Promise<Capsule | undefined> {
    const path = await this.locate(digest);
    return path === undefined ? undefined : this.#read(digest, path);
  }

  /** The folder of that digest, whatever state it is in. */
  async locate(digest: Digest): Promise<string | undefined> {
    const found = (await this.#folders()).find((folder) => folder.digest === digest);
    return found?.path;
  }

  /** All of them, by name. One whose manifest is damaged is left out, with a warning. */
  async list(): Promise<Capsule[]> {
    const folders = await this.#folders();
    const capsules = await Promise.all(folders.map(({ digest, path }) => this.#read(digest, path)));
    return capsules.filter((capsule) => capsule !== undefined);
  }

  /**
   * Makes the whole, verified and synced tree at `staged` the capsule of `digest`. Durable once
   * it resolves; a power cut before leaves nothing, or all of it.
   */
  async publish(staged: string, digest: Digest, manifest: CapsuleManifest): Promise<Capsule> {
    const folder = join(this.#layout.capsules, manifest.name);
    const path = join(folder, folderNameOf(digest));
    try {
      if ((await mkdir(folder, { recursive: true })) !== undefined) {
        await syncFolder(this.#layout.capsules);
      }
      await this.remove(digest); // one whose manifest is damaged: else nothing would be installed
      await rename(staged, path);
      await syncFolder(folder);
    } catch (cause) {
      throw ioError(`put ${manifest.name}@${manifest.version} into place at ${path}`, cause);
    }
    return { name: manifest.name, version: manifest.version, digest, path, manifest };
  }

  /** Takes the tree away at once, then its files. Nothing there is fine. */
  async remove(digest: Digest): Promise<void> {
    const path = await this.locate(digest);
    if (path === undefined) return;
    const leaving = join(this.#layout.staging, `${folderNameOf(digest)}.removed`);
    try {
      await rm(leaving, { recursive: true, force: true });
      await rename(path, leaving);
      await syncFolder(join(path, ".."));
      await rm(leaving, { recursive: true, force: true });
    } catch (cause) {
      throw ioError(`remove ${path}`, cause);
    }
  }

  async #read(digest: Digest, path: string): Promise<Capsule | undefined> {
    try {
      const manifest = readManifestBytes(await readFile(join(path, manifestPath)), digest);
      return { name: manifest.name, version: manifest.version, digest, path, manifest };
    } catch (error) {
      this.#logger.warn({ path, error: toError(error).message }, "an installed capsule is damaged");
      return undefined;
    }
  }

  async #folders(): Promise<{ digest: Digest; path: string }[]> {
    const { capsules } = this.#layout;
    try {
      const names = (await readdir(capsules)).sort();
      const found = await Promise.all(
        names.map(async (name) =>
          (await entriesOf(join(capsules, name))).map((folder) => ({
            digest: `sha256:${folder}`,
            path: join(capsules, name, folder),
          })),
        ),
      );
      return found
        .flat()
        .flatMap(({ digest, path }) => (isDigest(digest) ? [{ digest, path }] : []));
    } catch (cause) {
      throw ioError(`list ${capsules}`, cause);
    }
  }
}

async function entriesOf(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).sort();
  } catch (error) {
    if (isSystemError(error, "ENOTDIR")) return []; // a stray file, not ours
    throw error;
  }
}
