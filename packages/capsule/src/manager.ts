import { type Limits, type Problem, verifyTree } from "@roboticks/archive";
import { type Clock, type Logger, silentLogger, systemClock } from "@roboticks/core";
import type { Digest } from "@roboticks/core/digest";
import type { Capsule, InstallProgress, InstallSource } from "./capsule.ts";
import { CapsuleError, ioError } from "./errors.ts";
import { type DownloadRetry, Installer } from "./installer.ts";
import type { Launcher } from "./launcher.ts";
import { layoutOf, manifestPath } from "./layout.ts";
import { Library } from "./library.ts";
import { type CapsuleRun, Runs, type StartOptions } from "./runs.ts";
import { SharedWork } from "./shared-work.ts";

/** Options of {@link CapsuleManager.open}. */
export interface CapsuleManagerOptions {
  /** Its folder; made when missing. Only one manager at a time may have it. */
  readonly root: string;
  /** What runs the programs. Default: none, capsules can be installed but not started. */
  readonly launcher?: Launcher;
  /** What an archive may ask of this device. Defaults: those of `@roboticks/archive`. */
  readonly limits?: Partial<Limits>;
  /** Bytes that stay free on the disk. Default: the larger of 200 MB and 5 % of the disk. */
  readonly diskReserveBytes?: number;
  /** A server that sends nothing for so long is given up, in ms. Default 30,000. */
  readonly idleTimeoutMs?: number;
  /** How a failed download is tried again. Default: 3 attempts, 1 s × 2 between them. */
  readonly downloadRetry?: DownloadRetry;
  readonly clock?: Clock;
  /** Default: silent. */
  readonly logger?: Logger;
}

/** Options of {@link CapsuleManager.install}. */
export interface InstallOptions {
  /** Told of every chunk that arrives. */
  readonly onProgress?: (progress: InstallProgress) => void;
  /** Ends the waiting; once nobody waits for this capsule any more, its download ends. */
  readonly signal?: AbortSignal;
}

/** What {@link CapsuleManager.verify} found. */
export type Verification =
  | { readonly ok: true }
  | { readonly ok: false; readonly problems: readonly Problem[] };

/**
 * Downloads, verifies, keeps and runs capsules. Its folder is its state: a capsule is installed
 * when its folder is there, and it appears there whole or not at all.
 */
export class CapsuleManager implements AsyncDisposable {
  readonly #library: Library;
  readonly #installer: Installer;
  readonly #installs = new SharedWork<Digest, Capsule, InstallProgress>();
  readonly #runs: Runs;
  readonly #logger: Logger;
  #closed = false;

  private constructor({
    root,
    launcher,
    limits = {},
    diskReserveBytes,
    idleTimeoutMs = 30_000,
    downloadRetry = {},
    clock = systemClock,
    logger = silentLogger,
  }: CapsuleManagerOptions) {
    const layout = layoutOf(root);
    const library = new Library(layout, logger);
    this.#library = library;
    this.#installer = new Installer({
      layout,
      library,
      limits,
      diskReserveBytes,
      idleTimeoutMs,
      downloadRetry,
      clock,
      logger,
    });
    this.#runs = new Runs(launcher, layout.data);
    this.#logger = logger;
  }

  /**
   * Opens the folder and clears away what an interrupted install left.
   *
   * @throws {CapsuleError} `ERR_CAPSULE_IO`, `ERR_CAPSULE_NO_SPACE`
   */
  static async open(options: CapsuleManagerOptions): Promise<CapsuleManager> {
    const manager = new CapsuleManager(options);
    await manager.#library.open();
    return manager;
  }

  /**
   * Fetches a capsule, checks all of it, and puts it into place; durable once it resolves. One
   * that is there already needs no network. Calls for the same digest share one download. What
   * runs is not disturbed, whatever happens.
   *
   * @throws {CapsuleError} `ERR_CAPSULE_DOWNLOAD`, `_DIGEST_MISMATCH`, `_ARCHIVE`, `_MANIFEST`,
   *   `_PLATFORM`, `_NO_SPACE`, `_IO`, `_CLOSED`; `retryable` says whether it may go away by itself
   * @throws `signal.reason` once `signal` is aborted
   */
  async install(
    source: InstallSource,
    { onProgress, signal }: InstallOptions = {},
  ): Promise<Capsule> {
    if (this.#closed) throw closed();
    return this.#installs.run(source.digest, (work) => this.#installer.install(source, work), {
      signal,
      onProgress: (progress) => {
        try {
          onProgress?.(progress);
        } catch (error) {
          this.#logger.error({ error }, "a listener of an install's progress threw");
        }
      },
    });
  }

  /** The installed capsule of that digest; `undefined` also when its manifest is damaged. */
  find(digest: Digest): Promise<Capsule | undefined> {
    return this.#library.find(digest);
  }

  /** All installed capsules, by name. One whose manifest is damaged is left out. */
  list(): Promise<Capsule[]> {
    return this.#library.list();
  }

  /**
   * Reads every file of an installed capsule and compares it with the manifest. For one that is
   * not whole any more: `remove`, then `install`.
   *
   * @throws {CapsuleError} `ERR_CAPSULE_NOT_FOUND`, `ERR_CAPSULE_IO`
   */
  async verify(
    capsule: Capsule | Digest,
    { signal }: { readonly signal?: AbortSignal } = {},
  ): Promise<Verification> {
    const digest = typeof capsule === "string" ? capsule : capsule.digest;
    const path = await this.#library.locate(digest);
    if (path === undefined) {
      throw new CapsuleError(
        "ERR_CAPSULE_NOT_FOUND",
        `the capsule ${digest} is not installed; install it first`,
      );
    }
    const found = await this.#library.find(digest);
    if (!found) {
      const problem = { kind: "digest", path: manifestPath, expected: digest, found: "" } as const;
      return { ok: false, problems: [problem] };
    }
    try {
      const problems = await verifyTree(path, found.manifest.files, { signal });
      return problems.length === 0 ? { ok: true } : { ok: false, problems };
    } catch (cause) {
      signal?.throwIfAborted();
      throw ioError(`read ${path}`, cause);
    }
  }

  /**
   * Takes a capsule off the disk; one that is not there is fine. The data of its uses stays.
   * Whether it still runs is for the caller to know: what runs goes on, but cannot be restarted.
   *
   * @throws {CapsuleError} `ERR_CAPSULE_IO`
   */
  remove(digest: Digest): Promise<void> {
    return this.#library.remove(digest);
  }

  /**
   * Starts all processes of a capsule through the launcher, as `<as>.<process>`, in the order
   * of the manifest. When one cannot be started, the others are stopped again. Idempotent for
   * the same `tag`.
   *
   * @throws {CapsuleError} `ERR_CAPSULE_START_FAILED`, `_ALREADY_RUNNING`, `_NO_LAUNCHER`, `_NAME`,
   *   `_IO`; `retryable` says whether it may go away by itself
   * @throws `signal.reason` once `signal` is aborted; nothing of it runs then
   */
  start(capsule: Capsule, options: StartOptions = {}): Promise<CapsuleRun> {
    return this.#runs.start(capsule, options);
  }

  /**
   * Stops all processes of a use; they are gone when it resolves. None running is fine.
   *
   * @throws {CapsuleError} `ERR_CAPSULE_STOP_FAILED`, `_NO_LAUNCHER`, `_NAME`
   */
  stop(as: string, options: { readonly signal?: AbortSignal } = {}): Promise<void> {
    return this.#runs.stop(as, options);
  }

  /** The use by that name, as far as the launcher knows it, also after a restart of the agent. */
  get(as: string): CapsuleRun | undefined {
    return this.#runs.get(as);
  }

  /** All uses that the launcher knows, also after a restart of the agent. */
  runs(): CapsuleRun[] {
    return this.#runs.list();
  }

  /** Ends downloads that are under way. What runs goes on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#installs.end(closed());
  }
}

function closed(): CapsuleError {
  return new CapsuleError(
    "ERR_CAPSULE_CLOSED",
    "the capsule manager was disposed; open another one",
  );
}
