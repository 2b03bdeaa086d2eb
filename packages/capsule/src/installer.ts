import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { ArchiveError, extractArchive, type Limits } from "@roboticks/archive";
import { type BackoffOptions, type Clock, type Logger, retry } from "@roboticks/core";
import type { CapsuleManifest } from "@roboticks/spec/capsule";
import type { Capsule, InstallProgress, InstallSource } from "./capsule.ts";
import { checkSpace } from "./disk-space.ts";
import { cut, download } from "./download.ts";
import { CapsuleError, ioError } from "./errors.ts";
import { folderNameOf, type Layout } from "./layout.ts";
import type { Library } from "./library.ts";
import { judgeManifest, readManifestBytes } from "./manifest.ts";

/** How downloads are tried again. */
export interface DownloadRetry extends BackoffOptions {
  /** How often a download is tried at the most. Default 3. */
  readonly attempts?: number;
}

/** What an {@link Installer} works with. */
export interface InstallerOptions {
  readonly layout: Layout;
  readonly library: Library;
  readonly limits: Partial<Limits>;
  readonly diskReserveBytes: number | undefined;
  readonly idleTimeoutMs: number;
  readonly downloadRetry: DownloadRetry;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** One install. */
export interface InstallWork {
  readonly onProgress: (progress: InstallProgress) => void;
  readonly signal: AbortSignal;
}

/** A server that wants to be left alone for longer than this gets no second attempt, in ms. */
const longestRetryAfterMs = 60_000;

/** Fetches a capsule straight into a staging folder, and puts it into place when all is right. */
export class Installer {
  readonly #options: InstallerOptions;

  constructor(options: InstallerOptions) {
    this.#options = options;
  }

  /** The capsule that is there already, or a fresh one; see `CapsuleManager.install`. */
  async install(source: InstallSource, { onProgress, signal }: InstallWork): Promise<Capsule> {
    const { clock, library, logger, downloadRetry } = this.#options;
    const present = await library.find(source.digest);
    if (present) return present;
    const { attempts = 3, ...backoff } = downloadRetry;
    let notBefore = 0;
    let badArchives = 0;
    const work = async (): Promise<Capsule> => {
      await clock.sleep(Math.max(0, notBefore - clock.monotonic()), { signal });
      return this.#attempt(source, { onProgress, signal });
    };
    return retry(work, {
      ...backoff,
      attempts,
      clock,
      signal,
      retryable: (error) => {
        if (!(error instanceof CapsuleError)) return false;
        const { code, retryable, retryAfterMs = 0 } = error;
        notBefore = clock.monotonic() + retryAfterMs;
        if (code === "ERR_CAPSULE_DOWNLOAD")
          return retryable && retryAfterMs <= longestRetryAfterMs;
        // Bytes may spoil on the way, but hardly twice.
        return isBadArchive(code) && ++badArchives <= 1;
      },
      onRetry: ({ error, pauseMs }) =>
        logger.warn({ digest: source.digest, error, pauseMs }, "a download is tried again"),
    });
  }

  async #attempt(source: InstallSource, { onProgress, signal }: InstallWork): Promise<Capsule> {
    const { layout, library, limits, clock, idleTimeoutMs, logger } = this.#options;
    const { digest } = source;
    const staged = join(layout.staging, folderNameOf(digest));
    let progress: InstallProgress = { receivedBytes: 0 };
    let manifest: CapsuleManifest | undefined;
    try {
      // Whatever is in staging/ may be removed at any time, and staging/ itself.
      await mkdir(layout.staging, { recursive: true, mode: 0o700 });
      await rm(staged, { recursive: true, force: true });
      await extractArchive({
        source: download(source, {
          clock,
          idleTimeoutMs,
          signal,
          onProgress: (now) => {
            progress = now;
            onProgress(now);
          },
        }),
        into: staged,
        limits,
        signal,
        accept: async (bytes) => {
          manifest = await this.#accept(bytes, source);
          return manifest.files;
        },
      });
      if (!manifest) throw new Error("an archive was extracted whose manifest nobody accepted");
      const capsule = await library.publish(staged, digest, manifest);
      const { name, version } = capsule;
      logger.info({ name, version, digest }, "capsule installed");
      return capsule;
    } catch (error) {
      // What is left takes space that may be what is missing; why it failed matters more.
      await rm(staged, { recursive: true, force: true }).catch(() => {});
      signal.throwIfAborted();
      throw translated(error, source, progress);
    }
  }

  /** All that can be known before the first byte is written. */
  async #accept(bytes: Uint8Array, { digest }: InstallSource): Promise<CapsuleManifest> {
    const manifest = readManifestBytes(bytes, digest);
    judgeManifest(manifest, digest);
    await checkSpace(this.#options.layout.staging, manifest, this.#options.diskReserveBytes);
    return manifest;
  }
}

function isBadArchive(code: string): boolean {
  return code === "ERR_CAPSULE_ARCHIVE" || code === "ERR_CAPSULE_DIGEST_MISMATCH";
}

/** What stopped an attempt, in the words of this package. */
function translated(error: unknown, source: InstallSource, progress: InstallProgress): unknown {
  const what = `the archive of ${source.digest}`;
  if (error instanceof Error && "syscall" in error) return ioError(`unpack ${what}`, error);
  if (!(error instanceof ArchiveError)) return error;
  const { code, message } = error;
  if (code === "ERR_ARCHIVE_NO_SPACE") {
    return new CapsuleError(
      "ERR_CAPSULE_NO_SPACE",
      `the disk became full while ${what} was unpacked: ${message}`,
      { cause: error, retryable: true },
    );
  }
  if (code === "ERR_ARCHIVE_WRITE" || code === "ERR_ARCHIVE_NOT_EMPTY") {
    return ioError(`unpack ${what}`, error);
  }
  // Nobody said how long it would be, so that only the archive itself shows that it was cut.
  if (code === "ERR_ARCHIVE_TRUNCATED" && progress.totalBytes === undefined) {
    return cut(source.url, progress.receivedBytes);
  }
  return new CapsuleError(
    code === "ERR_ARCHIVE_DIGEST_MISMATCH" ? "ERR_CAPSULE_DIGEST_MISMATCH" : "ERR_CAPSULE_ARCHIVE",
    `refused ${what} and kept nothing of it: ${message}; push it again, or see to who serves it`,
    { cause: error },
  );
}
