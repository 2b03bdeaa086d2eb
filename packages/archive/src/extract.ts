import { ArchiveError } from "./errors.ts";
import { inflate } from "./inflate.ts";
import { judgeTable } from "./judge.ts";
import { type Limits, resolveLimits } from "./limits.ts";
import { ManifestCollector } from "./manifest.ts";
import { type TableEntry, totalSize } from "./table.ts";
import { type TarEntry, type TarEvent, TarReader } from "./tar-reader.ts";
import { assertEmptyFolder, TreeWriter } from "./tree-writer.ts";

/** How far an extraction is. */
export interface ExtractProgress {
  /** Bytes of the table's files on disk. */
  readonly writtenBytes: number;
  /** Bytes of all files of the table. */
  readonly totalBytes: number;
}

/** Options of {@link extractArchive}. */
export interface ExtractOptions {
  /** The archive's bytes as they arrive; gzip or zstd, told by the first of them. */
  readonly source: AsyncIterable<Uint8Array>;
  /** An empty folder, or one that does not exist in a folder that does. Gets mode 0700. */
  readonly into: string;
  /**
   * Gets the manifest's bytes before anything is written, decides whether this is what was
   * asked for, and returns its table of files. What it throws ends the extraction.
   */
  readonly accept: (manifest: Uint8Array) => readonly TableEntry[] | Promise<readonly TableEntry[]>;
  readonly limits?: Partial<Limits>;
  readonly signal?: AbortSignal;
  /** Told at most once for every piece of some 100 kB that is inflated. What it throws ends the extraction. */
  readonly onProgress?: (progress: ExtractProgress) => void;
}

/**
 * Unpacks an archive strictly: the manifest is accepted, its whole table judged, and the tar
 * then holds exactly those files in that order, each with its size and digest. On disk (synced)
 * once it resolves: `capsule.json` and the files. When it rejects, nothing of them is left.
 *
 * @throws {ArchiveError} for whatever is wrong with the archive or the disk
 * @throws what `accept` and `source` throw, and `signal.reason` once `signal` is aborted
 */
export async function extractArchive(options: ExtractOptions): Promise<void> {
  const { source, into, signal, onProgress } = options;
  signal?.throwIfAborted();
  assertEmptyFolder(into); // before the first byte is fetched
  const extraction = new Extraction(options);
  try {
    const tar = new TarReader();
    for await (const chunk of inflate(source, { signal })) {
      signal?.throwIfAborted();
      const before = extraction.writtenBytes;
      for (const event of tar.read(chunk)) await extraction.take(event);
      const { writtenBytes, totalBytes } = extraction;
      if (writtenBytes > before) onProgress?.({ writtenBytes, totalBytes });
    }
    tar.end();
    await extraction.finish();
  } catch (error) {
    await extraction.undo().catch(() => {}); // why it failed matters more than what is left
    throw error;
  }
}

/** What was accepted, and how far the tar has been followed through it. */
interface Accepted {
  readonly table: readonly TableEntry[];
  readonly totalBytes: number;
  readonly writer: TreeWriter;
  /** Entries of the table that have begun. */
  begun: number;
}

class Extraction {
  readonly #options: ExtractOptions;
  readonly #limits: Limits;
  readonly #collector: ManifestCollector;
  #accepted: Accepted | undefined;

  constructor(options: ExtractOptions) {
    this.#options = options;
    this.#limits = resolveLimits(options.limits);
    this.#collector = new ManifestCollector(this.#limits);
  }

  get writtenBytes(): number {
    return this.#accepted?.writer.writtenBytes ?? 0;
  }

  get totalBytes(): number {
    return this.#accepted?.totalBytes ?? 0;
  }

  async take(event: TarEvent): Promise<void> {
    const accepted = this.#accepted;
    if (!accepted) {
      const manifest = this.#collector.take(event);
      if (manifest) this.#accepted = await this.#accept(manifest);
    } else if (event.kind === "entry") {
      begin(accepted, event.entry);
    } else if (event.kind === "data") {
      accepted.writer.write(event.bytes);
    } else {
      await accepted.writer.end();
    }
  }

  async finish(): Promise<void> {
    const accepted = this.#accepted;
    const missing = accepted ? accepted.table[accepted.begun] : undefined;
    if (!accepted || missing) {
      const what = missing ? JSON.stringify(missing.path) : "its manifest";
      throw new ArchiveError(
        "ERR_ARCHIVE_MISMATCH",
        `the archive ends without ${what}; use an archive that pack has made`,
      );
    }
    await accepted.writer.finish(this.#options.signal);
  }

  async undo(): Promise<void> {
    await this.#accepted?.writer.undo();
  }

  async #accept(manifest: Buffer): Promise<Accepted> {
    const { accept, into, signal } = this.#options;
    const table = await accept(manifest);
    signal?.throwIfAborted();
    judgeTable(table, this.#limits);
    const writer = new TreeWriter(into);
    try {
      await writer.writeManifest(manifest);
    } catch (error) {
      await writer.undo().catch(() => {}); // why it failed matters more than what is left
      throw error;
    }
    return { table, totalBytes: totalSize(table), writer, begun: 0 };
  }
}

function begin(accepted: Accepted, found: TarEntry): void {
  const wanted = accepted.table[accepted.begun];
  if (!wanted) {
    throw mismatch(`the archive holds ${JSON.stringify(found.path)}, which its manifest does not`);
  }
  accepted.begun++;
  compare(found, wanted);
  accepted.writer.begin(wanted);
}

/** @throws {ArchiveError} `ERR_ARCHIVE_MISMATCH` when the tar tells another story than the table */
function compare(found: TarEntry, wanted: TableEntry): void {
  const path = JSON.stringify(wanted.path);
  if (found.path !== wanted.path) {
    throw mismatch(
      `the archive holds ${JSON.stringify(found.path)} where its manifest has ${path}`,
    );
  }
  const type = "link" in wanted ? "link" : "file";
  if (found.type !== type) throw mismatch(`${path} is a ${found.type}, its manifest says ${type}`);
  if ("link" in wanted) {
    if (found.link === wanted.link) return;
    const [is, says] = [JSON.stringify(found.link), JSON.stringify(wanted.link)];
    throw mismatch(`link ${path} points to ${is}, its manifest says ${says}`);
  }
  if (found.size !== wanted.size) {
    throw mismatch(`${path} has ${found.size} bytes, its manifest says ${wanted.size}`);
  }
  if (found.mode !== Number.parseInt(wanted.mode, 8)) {
    throw mismatch(`${path} has mode 0${found.mode.toString(8)}, its manifest says ${wanted.mode}`);
  }
}

function mismatch(what: string): ArchiveError {
  return new ArchiveError("ERR_ARCHIVE_MISMATCH", `${what}; use an archive that pack has made`);
}
