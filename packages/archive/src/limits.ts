/** What an archive may ask of the device that reads it. */
export interface Limits {
  /** Rows of the table. Default 100,000. */
  readonly entries: number;
  /** Bytes of all files together. Default 4 GiB. */
  readonly totalBytes: number;
  /** Bytes of one file. Default 4 GiB. */
  readonly fileBytes: number;
  /** Bytes of a path or of a link's target, as UTF-8. Default 1,024 (`PATH_MAX` of macOS). */
  readonly pathBytes: number;
  /** Bytes of one segment of a path. Default 255 (`NAME_MAX` of Linux). */
  readonly nameBytes: number;
  /** Segments of a path. Default 64. */
  readonly depth: number;
  /** Bytes of the manifest. Default 16 MiB. */
  readonly manifestBytes: number;
}

/** What every {@link Limits} is unless it is given; an archive within them is read everywhere. */
export const defaultLimits: Limits = {
  entries: 100_000,
  totalBytes: 4 * 2 ** 30,
  fileBytes: 4 * 2 ** 30,
  pathBytes: 1_024,
  nameBytes: 255,
  depth: 64,
  manifestBytes: 16 * 2 ** 20,
};

/** `limits` with the defaults where it says nothing, or `undefined`. */
export function resolveLimits({
  entries = defaultLimits.entries,
  totalBytes = defaultLimits.totalBytes,
  fileBytes = defaultLimits.fileBytes,
  pathBytes = defaultLimits.pathBytes,
  nameBytes = defaultLimits.nameBytes,
  depth = defaultLimits.depth,
  manifestBytes = defaultLimits.manifestBytes,
}: Partial<Limits> = {}): Limits {
  return { entries, totalBytes, fileBytes, pathBytes, nameBytes, depth, manifestBytes };
}
