import type { DatabaseSync } from "node:sqlite";
import { PlatformError } from "./errors.ts";

/** One step each: the n-th brings a database from `user_version` n − 1 to n. Never changed later. */
const migrations: readonly string[] = [
  `
  CREATE TABLE device (
    name TEXT PRIMARY KEY,
    public_key TEXT NOT NULL,
    enrolled_at INTEGER NOT NULL,
    last_seen_at INTEGER
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE token (
    hash TEXT PRIMARY KEY,
    device TEXT NOT NULL REFERENCES device (name),
    expires_at INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX token_by_expiry ON token (expires_at);
  CREATE TABLE capsule (
    id INTEGER PRIMARY KEY,
    digest TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    version TEXT NOT NULL,
    archive_sha256 TEXT,
    archive_size INTEGER,
    manifest BLOB NOT NULL,
    UNIQUE (name, version)
  ) STRICT;
  CREATE TABLE assignment (
    device TEXT PRIMARY KEY REFERENCES device (name),
    version INTEGER NOT NULL,
    deployment TEXT NOT NULL,
    envelope TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE report (
    device TEXT NOT NULL REFERENCES device (name),
    seq INTEGER NOT NULL,
    body TEXT NOT NULL,
    PRIMARY KEY (device, seq)
  ) STRICT, WITHOUT ROWID;
  `,
];

/** Brings `database` to the newest schema, each step whole or not at all. */
export function migrate(database: DatabaseSync, path: string): void {
  const version = Number(database.prepare("PRAGMA user_version").get()?.user_version);
  if (version > migrations.length) {
    throw new PlatformError(
      "ERR_PLATFORM_STATE_NEWER",
      `${path} was written by a newer version (schema ${version}, this one knows ${migrations.length}); ` +
        "run that version, or restore a backup from before",
    );
  }
  for (const [index, step] of migrations.entries()) {
    if (index < version) continue;
    database.exec(`BEGIN IMMEDIATE; ${step} PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}
