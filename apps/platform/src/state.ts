import type { PublicKeyDocument } from "@roboticks/spec/api";
import type { Label, Report } from "@roboticks/spec/report";

/** A device that enrolled. Times are wall time, ms since 1970. */
export interface DeviceEntry {
  readonly name: string;
  readonly publicKey: PublicKeyDocument;
  readonly enrolledAt: number;
  readonly lastSeenAt?: number;
}

/** A device's token; only its hash is ever kept. */
export interface TokenEntry {
  /** sha256 of the token, hex. */
  readonly hash: string;
  readonly device: string;
  readonly expiresAt: number;
}

/** A capsule whose manifest was pushed. */
export interface CapsuleEntry {
  readonly digest: string;
  readonly name: string;
  readonly version: string;
  /** Absent until its archive was uploaded. */
  readonly archive?: ArchiveEntry;
}

/** Where the blob of an archive is. */
export interface ArchiveEntry {
  /** Key of the blob: its sha256, hex. */
  readonly sha256: string;
  readonly size: number;
}

/** The newest order for a device, as it was signed. */
export interface AssignmentEntry {
  readonly version: number;
  /** The deployment it names. */
  readonly deployment: Label;
  /** The envelope, JSON. */
  readonly envelope: string;
}

/**
 * What the platform remembers; a port, so that a fleet can have another database. A promise that
 * resolves means that the change is durable and whole.
 */
export interface PlatformState extends AsyncDisposable {
  /** Keeps `device` unless there is one of that name; gives what is kept then. */
  addDevice(device: DeviceEntry): Promise<DeviceEntry>;
  getDevice(name: string): Promise<DeviceEntry | undefined>;
  /** By name. */
  listDevices(): Promise<readonly DeviceEntry[]>;
  setLastSeen(device: string, at: number): Promise<void>;

  /**
   * Keeps a token, and forgets those that expired before `now` as well as the device's oldest
   * beyond {@link tokensKept}.
   */
  addToken(token: TokenEntry, now: number): Promise<void>;
  getToken(hash: string): Promise<TokenEntry | undefined>;

  /**
   * Keeps a manifest unless its name and version are taken by another digest (`conflict`); what
   * is there already stays as it is.
   */
  addCapsule(
    capsule: { readonly digest: string; readonly name: string; readonly version: string },
    manifest: Uint8Array,
  ): Promise<"kept" | "conflict">;
  getCapsule(digest: string): Promise<CapsuleEntry | undefined>;
  getManifest(digest: string): Promise<Uint8Array | undefined>;
  /** By name, then in the order in which they came. */
  listCapsules(filter: {
    readonly name?: string | undefined;
    readonly version?: string | undefined;
  }): Promise<readonly CapsuleEntry[]>;
  /** Notes the archive of a capsule, unless there is one; gives what is kept then. */
  setArchive(digest: string, archive: ArchiveEntry): Promise<ArchiveEntry>;

  getAssignment(device: string): Promise<AssignmentEntry | undefined>;
  /** Replaces the assignment unless the kept one has the same or a higher version (`old`). */
  setAssignment(device: string, assignment: AssignmentEntry): Promise<"kept" | "old">;

  /**
   * Keeps those of `reports` that have a higher seq than any kept before, and drops the oldest
   * beyond 10,000 of the device.
   *
   * @returns the highest seq that was ever kept
   */
  addReports(device: string, reports: readonly Report[]): Promise<number>;
  /** Those with a seq above `after`, oldest first, `limit` at the most. */
  listReports(
    device: string,
    options: { readonly after: number; readonly limit: number },
  ): Promise<readonly Report[]>;
  getLatestReport(device: string): Promise<Report | undefined>;
}

/** How many tokens of a device are good at a time. */
export const tokensKept = 16;

/** How many reports of a device are kept. */
export const reportsKept = 10_000;
