import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { PlatformClient } from "@roboticks/client";
import { type Logger, silentLogger, toError } from "@roboticks/core";
import { isSystemError, writeFileAtomic } from "@roboticks/core/fs";
import { enrollStatement } from "@roboticks/spec/api";
import { envelopeSchema } from "@roboticks/spec/deployment";
import { checkDocument } from "@roboticks/spec/document";
import type { Dsn } from "@roboticks/spec/dsn";
import {
  canonicalJson,
  documentDigest,
  generateKeyPair,
  type KeyPair,
  parseStrictJson,
  type Root,
  readKeyFile,
  signBytes,
  verifyRoot,
  writeKeyFile,
} from "@roboticks/trust";
import { AgentError } from "./errors.ts";

/** How the root of trust came to be trusted. */
export type Pinned = "dsn" | "first-use";

/** Whom this device trusts, since its enrolment. */
export interface TrustAnchor {
  readonly project: string;
  readonly pinned: Pinned;
  readonly root: Root;
}

/**
 * Who this device is and whom it trusts: a key pair that it made itself, and the root that it
 * pinned when it enrolled. Kept in `identity/`; the key never leaves the device.
 */
export class Identity {
  readonly keyPair: KeyPair;
  readonly #folder: string;
  readonly #damage: AgentError | undefined;
  #anchor: TrustAnchor | undefined;

  private constructor(
    folder: string,
    keyPair: KeyPair,
    anchor: TrustAnchor | undefined,
    damage: AgentError | undefined,
  ) {
    this.#damage = damage;
    this.#folder = folder;
    this.keyPair = keyPair;
    this.#anchor = anchor;
  }

  /**
   * Opens the identity below `root`; the first time makes it. A damaged one is no reason to keep
   * what is installed from running: the device then just cannot talk to its platform.
   */
  static async open(
    root: string,
    { logger = silentLogger }: { readonly logger?: Logger } = {},
  ): Promise<Identity> {
    const folder = join(root, "identity");
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const keyFile = join(folder, "device.key");
    try {
      const keyPair = await readKeyFile(keyFile).catch(async (error: unknown) => {
        if (!isMissing(error)) throw error;
        const made = generateKeyPair();
        await writeKeyFile(keyFile, made);
        return made;
      });
      return new Identity(folder, keyPair, await readAnchor(anchorFile(folder)), undefined);
    } catch (cause) {
      const damage = new AgentError(
        "ERR_AGENT_IDENTITY",
        `the identity in ${folder} cannot be read: ${toError(cause).message}; restore it, or remove the folder and enroll anew under another name`,
        { cause },
      );
      logger.error({ error: damage }, "no orders are taken");
      return new Identity(folder, generateKeyPair(), undefined, damage);
    }
  }

  /** Whom this device trusts; nobody before it has enrolled. */
  get anchor(): TrustAnchor | undefined {
    return this.#anchor;
  }

  /** Signs text with the device's key. */
  sign(text: string): string {
    return signBytes(this.keyPair, Buffer.from(text));
  }

  /**
   * Enrolls with the platform and pins its root: the one that the DSN names, else the first seen.
   * Once enrolled it does nothing, whatever root the platform shows.
   *
   * @throws {ClientError} when the platform is not reached, or refuses
   * @throws {AgentError} `ERR_AGENT_ENROLMENT` when it shows another root than the DSN names,
   *   `ERR_AGENT_IDENTITY` when this device's own identity is damaged
   */
  async enroll(
    client: PlatformClient,
    device: string,
    dsn: Dsn,
    signal: AbortSignal,
  ): Promise<void> {
    if (this.#damage) throw this.#damage;
    if (this.#anchor) {
      if (this.#anchor.project === dsn.project) return;
      throw new AgentError(
        "ERR_AGENT_ENROLMENT",
        `this device is enrolled in project ${this.#anchor.project}, the DSN is for ${dsn.project}; to move it, remove ${this.#folder} first`,
      );
    }
    const { publicKey } = this.keyPair;
    const statement = enrollStatement(dsn.project, device, publicKey.keyval.public);
    const request = { name: device, publicKey, proof: this.sign(statement) };
    const { root: envelope } = await client.enroll(request, { key: dsn.key, signal });
    const digest = documentDigest(envelope);
    if (dsn.rootDigest && dsn.rootDigest !== digest) {
      throw new AgentError(
        "ERR_AGENT_ENROLMENT",
        `the platform shows a root of trust with digest ${digest}, the DSN names ${dsn.rootDigest}; it is not trusted`,
      );
    }
    const root = verifyRoot(envelope);
    const pinned: Pinned = dsn.rootDigest ? "dsn" : "first-use";
    const record = canonicalJson({ project: dsn.project, pinned, root: envelope });
    await writeFileAtomic(anchorFile(this.#folder), record, { mode: 0o600 });
    this.#anchor = { project: dsn.project, pinned, root };
  }
}

function anchorFile(folder: string): string {
  return join(folder, "anchor.json");
}

async function readAnchor(file: string): Promise<TrustAnchor | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  const record = parseStrictJson(bytes) as { project?: unknown; pinned?: unknown; root?: unknown };
  const envelope = checkDocument(record.root, envelopeSchema, { file });
  return {
    project: String(record.project),
    pinned: record.pinned === "dsn" ? "dsn" : "first-use",
    root: verifyRoot(envelope),
  };
}

function isMissing(error: unknown): boolean {
  // The key reader keeps the system's error as its cause.
  const cause = error instanceof Error ? error.cause : undefined;
  return isSystemError(error, "ENOENT") || isSystemError(cause, "ENOENT");
}
