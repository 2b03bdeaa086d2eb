import { closeSync, openSync } from "node:fs";
import { DatabaseSync, type SQLOutputValue, type StatementSync } from "node:sqlite";
import { publicKeySchema } from "@roboticks/spec/api";
import { labelSchema, type Report, reportSchema } from "@roboticks/spec/report";
import { PlatformError } from "./errors.ts";
import { migrate } from "./sqlite-schema.ts";
import {
  type ArchiveEntry,
  type AssignmentEntry,
  type CapsuleEntry,
  type DeviceEntry,
  type PlatformState,
  reportsKept,
  type TokenEntry,
  tokensKept,
} from "./state.ts";

type Row = Record<string, SQLOutputValue>;

/**
 * Opens the state in one SQLite file, made with mode 0600 where there is none. One process at a
 * time: the lock is the kernel's, so it ends with the process, however that ends.
 *
 * @throws {PlatformError} `ERR_PLATFORM_LOCKED`, `ERR_PLATFORM_STATE`, `ERR_PLATFORM_STATE_NEWER`
 */
export async function openSqliteState({ path }: { readonly path: string }): Promise<PlatformState> {
  let database: DatabaseSync | undefined;
  try {
    closeSync(openSync(path, "a", 0o600)); // SQLite's own would follow the umask; its WAL follows the file
    database = new DatabaseSync(path, { timeout: 0 });
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    database.exec("PRAGMA journal_mode = WAL");
    database.exec("PRAGMA synchronous = FULL");
    database.exec("BEGIN IMMEDIATE; COMMIT"); // takes the lock now, not at the first request
    migrate(database, path);
    return new SqliteState(database);
  } catch (cause) {
    database?.close();
    if (cause instanceof PlatformError) throw cause;
    if (isBusy(cause)) {
      throw new PlatformError(
        "ERR_PLATFORM_LOCKED",
        `${path} is in use by another platform; stop that one, or give this one its own data folder`,
        { cause },
      );
    }
    throw new PlatformError(
      "ERR_PLATFORM_STATE",
      `${path} cannot be opened (${(cause as Error).message}); it was left as it is. ` +
        "Check the folder's owner and free space; if the file is damaged, restore a backup",
      { cause },
    );
  }
}

/** SQLITE_BUSY and its extended codes. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && (Number(error.errcode) & 0xff) === 5;
}

class SqliteState implements PlatformState {
  readonly #database: DatabaseSync;
  readonly #prepared = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  async addDevice(device: DeviceEntry): Promise<DeviceEntry> {
    this.#run(
      "INSERT INTO device (name, public_key, enrolled_at) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
      device.name,
      JSON.stringify(device.publicKey),
      device.enrolledAt,
    );
    return (await this.getDevice(device.name)) ?? device;
  }

  async getDevice(name: string): Promise<DeviceEntry | undefined> {
    const row = this.#get("SELECT * FROM device WHERE name = ?", name);
    return row && toDevice(row);
  }

  async listDevices(): Promise<readonly DeviceEntry[]> {
    return this.#all("SELECT * FROM device ORDER BY name").map(toDevice);
  }

  async setLastSeen(device: string, at: number): Promise<void> {
    this.#run("UPDATE device SET last_seen_at = ? WHERE name = ?", at, device);
  }

  async addToken({ hash, device, expiresAt }: TokenEntry, now: number): Promise<void> {
    this.#transaction(() => {
      this.#run("DELETE FROM token WHERE expires_at < ?", now);
      this.#run(
        "INSERT INTO token (hash, device, expires_at) VALUES (?, ?, ?)",
        hash,
        device,
        expiresAt,
      );
      this.#run(
        `DELETE FROM token WHERE hash IN (SELECT hash FROM token WHERE device = ?
         ORDER BY expires_at DESC LIMIT -1 OFFSET ${tokensKept})`,
        device,
      );
    });
  }

  async getToken(hash: string): Promise<TokenEntry | undefined> {
    const row = this.#get("SELECT * FROM token WHERE hash = ?", hash);
    return row && { hash, device: String(row.device), expiresAt: Number(row.expires_at) };
  }

  async addCapsule(
    { digest, name, version }: CapsuleEntry,
    manifest: Uint8Array,
  ): Promise<"kept" | "conflict"> {
    this.#run(
      "INSERT INTO capsule (digest, name, version, manifest) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING",
      digest,
      name,
      version,
      manifest,
    );
    return (await this.getCapsule(digest)) ? "kept" : "conflict";
  }

  async getCapsule(digest: string): Promise<CapsuleEntry | undefined> {
    const row = this.#get(`SELECT ${capsuleColumns} FROM capsule WHERE digest = ?`, digest);
    return row && toCapsule(row);
  }

  async getManifest(digest: string): Promise<Uint8Array | undefined> {
    const manifest = this.#get("SELECT manifest FROM capsule WHERE digest = ?", digest)?.manifest;
    return manifest instanceof Uint8Array ? manifest : undefined;
  }

  async listCapsules({
    name,
    version,
  }: {
    readonly name?: string | undefined;
    readonly version?: string | undefined;
  }): Promise<readonly CapsuleEntry[]> {
    return this.#all(
      `SELECT ${capsuleColumns} FROM capsule
       WHERE name = coalesce(?, name) AND version = coalesce(?, version) ORDER BY name, id`,
      name ?? null,
      version ?? null,
    ).map(toCapsule);
  }

  async setArchive(digest: string, { sha256, size }: ArchiveEntry): Promise<ArchiveEntry> {
    this.#run(
      "UPDATE capsule SET archive_sha256 = ?, archive_size = ? WHERE digest = ? AND archive_sha256 IS NULL",
      sha256,
      size,
      digest,
    );
    const kept = (await this.getCapsule(digest))?.archive;
    if (!kept) throw new Error(`there is no capsule ${digest} to have an archive`);
    return kept;
  }

  async getAssignment(device: string): Promise<AssignmentEntry | undefined> {
    const row = this.#get("SELECT * FROM assignment WHERE device = ?", device);
    return (
      row && {
        version: Number(row.version),
        deployment: labelSchema.parse(JSON.parse(String(row.deployment))),
        envelope: String(row.envelope),
      }
    );
  }

  async setAssignment(
    device: string,
    { version, deployment, envelope }: AssignmentEntry,
  ): Promise<"kept" | "old"> {
    const changes = this.#run(
      `INSERT INTO assignment (device, version, deployment, envelope) VALUES (?, ?, ?, ?)
       ON CONFLICT (device) DO UPDATE SET version = excluded.version,
         deployment = excluded.deployment, envelope = excluded.envelope
       WHERE excluded.version > assignment.version`,
      device,
      version,
      JSON.stringify(deployment),
      envelope,
    );
    return changes > 0 ? "kept" : "old";
  }

  async addReports(device: string, reports: readonly Report[]): Promise<number> {
    return this.#transaction(() => {
      let last = this.#lastSeq(device);
      for (const report of reports) {
        if (report.seq <= last) continue;
        last = report.seq;
        const body = JSON.stringify(report);
        this.#run("INSERT INTO report (device, seq, body) VALUES (?, ?, ?)", device, last, body);
      }
      this.#run(
        `DELETE FROM report WHERE device = ?1 AND seq <=
         (SELECT seq FROM report WHERE device = ?1 ORDER BY seq DESC LIMIT 1 OFFSET ${reportsKept})`,
        device,
      );
      return last;
    });
  }

  async listReports(
    device: string,
    { after, limit }: { readonly after: number; readonly limit: number },
  ): Promise<readonly Report[]> {
    return this.#all(
      "SELECT body FROM report WHERE device = ? AND seq > ? ORDER BY seq LIMIT ?",
      device,
      after,
      limit,
    ).map(toReport);
  }

  async getLatestReport(device: string): Promise<Report | undefined> {
    const row = this.#get(
      "SELECT body FROM report WHERE device = ? ORDER BY seq DESC LIMIT 1",
      device,
    );
    return row && toReport(row);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#database.isOpen) this.#database.close();
  }

  #lastSeq(device: string): number {
    return Number(
      this.#get("SELECT max(seq) AS seq FROM report WHERE device = ?", device)?.seq ?? 0,
    );
  }

  #transaction<T>(work: () => T): T {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      // After some errors (a full disk) SQLite has rolled back by itself.
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  #run(sql: string, ...values: (string | number | null | Uint8Array)[]): number {
    return Number(this.#statement(sql).run(...values).changes);
  }

  #get(sql: string, ...values: (string | number | null)[]): Row | undefined {
    return this.#statement(sql).get(...values);
  }

  #all(sql: string, ...values: (string | number | null)[]): Row[] {
    return this.#statement(sql).all(...values);
  }

  #statement(sql: string): StatementSync {
    const statement = this.#prepared.get(sql) ?? this.#database.prepare(sql);
    this.#prepared.set(sql, statement);
    return statement;
  }
}

/** All but the manifest, which may be long. */
const capsuleColumns = "digest, name, version, archive_sha256, archive_size";

function toDevice(row: Row): DeviceEntry {
  return {
    name: String(row.name),
    publicKey: publicKeySchema.parse(JSON.parse(String(row.public_key))),
    enrolledAt: Number(row.enrolled_at),
    ...(row.last_seen_at === null ? {} : { lastSeenAt: Number(row.last_seen_at) }),
  };
}

function toCapsule(row: Row): CapsuleEntry {
  return {
    digest: String(row.digest),
    name: String(row.name),
    version: String(row.version),
    ...(row.archive_sha256 === null
      ? {}
      : { archive: { sha256: String(row.archive_sha256), size: Number(row.archive_size) } }),
  };
}

function toReport(row: Row): Report {
  return reportSchema.parse(JSON.parse(String(row.body)));
}
