import { posix } from "node:path";
import { toError } from "@roboticks/core";
import { type Digest, digestOf } from "@roboticks/core/digest";
import { type CapsuleManifest, capsuleManifestSchema } from "@roboticks/spec/capsule";
import { checkDocument } from "@roboticks/spec/document";
import { CapsuleError } from "./errors.ts";
import { manifestPath } from "./layout.ts";

/**
 * The manifest that `bytes` are, when they are the ones that were asked for.
 *
 * @throws {CapsuleError} `ERR_CAPSULE_DIGEST_MISMATCH`, `ERR_CAPSULE_MANIFEST`
 */
export function readManifestBytes(bytes: Uint8Array, digest: Digest): CapsuleManifest {
  const actual = digestOf(bytes);
  if (actual !== digest) {
    throw new CapsuleError(
      "ERR_CAPSULE_DIGEST_MISMATCH",
      `the manifest has the digest ${actual}, but ${digest} was asked for: the archive is not that capsule; push or fetch the right one`,
    );
  }
  try {
    const text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return checkDocument(JSON.parse(text), capsuleManifestSchema, { file: manifestPath });
  } catch (cause) {
    throw refused(digest, toError(cause).message, cause);
  }
}

/**
 * Whether the capsule can run here at all.
 *
 * @throws {CapsuleError} `ERR_CAPSULE_PLATFORM`, `ERR_CAPSULE_MANIFEST`
 */
export function judgeManifest(
  manifest: CapsuleManifest,
  digest: Digest,
  here: { readonly platform: string; readonly arch: string } = process,
): void {
  const { name, version, platforms, processes, files } = manifest;
  if (platforms && !platforms.some(({ os, arch }) => os === here.platform && arch === here.arch)) {
    const built = platforms.map(({ os, arch }) => `${os} ${arch}`).join(", ");
    throw new CapsuleError(
      "ERR_CAPSULE_PLATFORM",
      `${name}@${version} is built for ${built}, this is ${here.platform} ${here.arch}; deploy a build for it`,
    );
  }
  const programs = new Set(files.map(({ path }) => path));
  for (const [process, { command }] of Object.entries(processes)) {
    if (!posix.isAbsolute(command) && !programs.has(posix.normalize(command))) {
      throw refused(
        digest,
        `its process "${process}" runs ${command}, which is not among its files`,
      );
    }
  }
}

function refused(digest: Digest, why: string, cause?: unknown): CapsuleError {
  return new CapsuleError(
    "ERR_CAPSULE_MANIFEST",
    `the manifest ${digest} cannot be used: ${why}; pack the capsule again`,
    { cause },
  );
}
