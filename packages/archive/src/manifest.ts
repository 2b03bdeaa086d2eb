import { ArchiveError } from "./errors.ts";
import { inflate } from "./inflate.ts";
import { type Limits, resolveLimits } from "./limits.ts";
import { manifestPath } from "./table.ts";
import { type TarEntry, type TarEvent, TarReader } from "./tar-reader.ts";

/** Options of {@link readManifest}. */
export interface ReadManifestOptions {
  /** Only `manifestBytes` matters here. */
  readonly limits?: Partial<Limits>;
  readonly signal?: AbortSignal;
}

/**
 * The bytes of an archive's manifest, `capsule.json`: their SHA-256 is the capsule's digest.
 * Reads the first entry and closes `source`; the manifest fills a frame of its own, so that
 * little more than it is ever fetched. The bytes are not looked into.
 *
 * @throws {ArchiveError} if the archive does not begin with a manifest
 * @throws what `source` throws, and `signal.reason` once `signal` is aborted
 */
export async function readManifest(
  source: AsyncIterable<Uint8Array>,
  { limits, signal }: ReadManifestOptions = {},
): Promise<Uint8Array> {
  const tar = new TarReader();
  const collector = new ManifestCollector(resolveLimits(limits));
  for await (const chunk of inflate(source, { signal })) {
    for (const event of tar.read(chunk)) {
      const manifest = collector.take(event);
      if (manifest) return manifest;
    }
  }
  throw new ArchiveError(
    "ERR_ARCHIVE_TRUNCATED",
    "the archive ends before its manifest does; fetch it again",
  );
}

/** Puts the first entry of a tar together. */
export class ManifestCollector {
  readonly #limits: Limits;
  #bytes = Buffer.alloc(0);
  #filled = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** The manifest, once `event` makes it whole. @throws {ArchiveError} if it is none */
  take(event: TarEvent): Buffer | undefined {
    if (event.kind === "entry") this.#begin(event.entry);
    else if (event.kind === "data") this.#filled += event.bytes.copy(this.#bytes, this.#filled);
    return event.kind === "end" ? this.#bytes : undefined;
  }

  #begin({ type, path, size }: TarEntry): void {
    if (path !== manifestPath || type !== "file") {
      throw new ArchiveError(
        "ERR_ARCHIVE_MISMATCH",
        `the archive begins with ${JSON.stringify(path)}, a capsule with ${manifestPath}; make one with pack`,
      );
    }
    if (size > this.#limits.manifestBytes) {
      throw new ArchiveError(
        "ERR_ARCHIVE_LIMIT",
        `the manifest has ${size} bytes, the limit is ${this.#limits.manifestBytes}; pack fewer files or raise limits.manifestBytes`,
      );
    }
    this.#bytes = Buffer.alloc(size);
  }
}
