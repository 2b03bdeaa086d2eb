import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { isSystemError, writeFileAtomic } from "@roboticks/core/fs";
import * as z from "zod";
import { PlatformError } from "./errors.ts";
import { makeSecret } from "./secrets.ts";

/** `platform.json`: how others on this machine find the platform. No secrets in it. */
const announcementSchema = z.object({
  url: z.url(),
  project: z.string(),
  pid: z.int(),
  /** False from the moment it ends, or before it listens again. */
  ready: z.boolean(),
});

export type Announcement = z.output<typeof announcementSchema>;

/** The two secrets of a platform. */
export interface Secrets {
  readonly operatorToken: string;
  readonly dsnKey: string;
}

/**
 * What the executable keeps below `--data`:
 *
 *     platform.db             state (SQLite, WAL)
 *     blobs/                  archives
 *     secrets/operator-token  made at the first start, 0600, in a folder of 0700
 *     secrets/dsn-key         the same
 *     platform.json           where it listens, see Announcement
 */
export class DataFolder {
  readonly statePath: string;
  readonly blobsPath: string;
  readonly #announcementPath: string;
  readonly #secretsPath: string;

  private constructor(path: string) {
    this.statePath = join(path, "platform.db");
    this.blobsPath = join(path, "blobs");
    this.#announcementPath = join(path, "platform.json");
    this.#secretsPath = join(path, "secrets");
  }

  /** @throws {PlatformError} `ERR_PLATFORM_SETTINGS` where the folder cannot be made */
  static async open(path: string): Promise<DataFolder> {
    const folder = new DataFolder(path);
    try {
      await mkdir(path, { recursive: true });
      await mkdir(folder.#secretsPath, { recursive: true, mode: 0o700 });
    } catch (cause) {
      throw new PlatformError(
        "ERR_PLATFORM_SETTINGS",
        `the data folder ${path} cannot be made (${(cause as Error).message}); choose another with --data`,
        { cause },
      );
    }
    return folder;
  }

  /** The secrets; made when they are missing, and durable before anyone can have used them. */
  async secrets(): Promise<Secrets> {
    return {
      operatorToken: await this.#secret("operator-token"),
      dsnKey: await this.#secret("dsn-key"),
    };
  }

  /** What the last platform said here; `undefined` where none did, or it cannot be read. */
  async announced(): Promise<Announcement | undefined> {
    try {
      const text = await readFile(this.#announcementPath, "utf8");
      return announcementSchema.parse(JSON.parse(text));
    } catch {
      return undefined; // it only remembers a port; without it another one is taken
    }
  }

  async announce(announcement: Announcement): Promise<void> {
    await writeFileAtomic(this.#announcementPath, `${JSON.stringify(announcement, null, 2)}\n`);
  }

  async #secret(name: string): Promise<string> {
    const path = join(this.#secretsPath, name);
    try {
      const secret = (await readFile(path, "utf8")).trim();
      if (/^[A-Za-z0-9_-]{16,128}$/.test(secret)) return secret;
      throw new PlatformError(
        "ERR_PLATFORM_SETTINGS",
        `${path} holds no secret (16 to 128 of A-Z, a-z, 0-9, _ and -); ` +
          "restore it, or remove it to have a new one made",
      );
    } catch (error) {
      if (!isSystemError(error, "ENOENT")) throw error;
    }
    const secret = makeSecret();
    await writeFileAtomic(path, `${secret}\n`, { mode: 0o600 });
    return secret;
  }
}
