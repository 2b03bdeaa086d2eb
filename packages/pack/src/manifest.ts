import { lstat, readFile } from "node:fs/promises";
import { join, posix } from "node:path";
import { ArchiveError, defaultLimits, judgeTable, type TableEntry } from "@roboticks/archive";
import { digestOf } from "@roboticks/core/digest";
import { isSystemError } from "@roboticks/core/fs";
import {
  type CapsuleManifest,
  type CapsuleSource,
  capsuleManifestSchema,
  capsuleSourceSchema,
} from "@roboticks/spec/capsule";
import { checkDocument, parseDocumentText } from "@roboticks/spec/document";
import { canonicalJson } from "./canonical.ts";
import { PackError, systemError } from "./errors.ts";
import { manifestPath } from "./folder.ts";
import { changed } from "./source-file.ts";

/**
 * Reads what a person wrote about the capsule in `folder`.
 *
 * @throws {PackError} `ERR_PACK_NO_MANIFEST` or `ERR_PACK_READ`
 * @throws {SpecError} for what is wrong with it
 */
export async function readSource(folder: string): Promise<CapsuleSource> {
  const path = join(folder, manifestPath);
  try {
    if (!(await lstat(path)).isFile()) throw noManifest(path);
    const text = await readFile(path, "utf8");
    return parseDocumentText(text, capsuleSourceSchema, { file: manifestPath });
  } catch (error) {
    if (isSystemError(error, "ENOENT")) throw noManifest(path, error);
    throw systemError("ERR_PACK_READ", path, error);
  }
}

/**
 * The manifest of `source` with its table of files, and its bytes.
 *
 * @throws {PackError} `ERR_PACK_UNSAFE`, `ERR_PACK_COMMAND_MISSING`, `ERR_PACK_NO_SCHEMA`,
 * `ERR_PACK_COMMAND_NOT_EXECUTABLE`, `ERR_PACK_TOO_LARGE`, `ERR_PACK_CHANGED` or `ERR_PACK_READ`
 * @throws {SpecError} for what is wrong with the JSON Schema that it names
 */
export async function makeManifest(
  folder: string,
  source: CapsuleSource,
  table: readonly TableEntry[],
): Promise<{ readonly manifest: CapsuleManifest; readonly bytes: Buffer }> {
  judge(table);
  for (const [name, { command }] of Object.entries(source.processes)) {
    checkCommand(name, command, table);
  }
  // `$schema` is for the editor of the source, and names a place on the machine of its author.
  const { $schema: _, configuration, ...rest } = source;
  const manifest = checkDocument(
    {
      ...rest,
      ...(configuration && {
        configuration: { schema: await readSchema(folder, configuration.schema, table) },
      }),
      files: table,
    },
    capsuleManifestSchema,
    { file: manifestPath },
  );
  const bytes = Buffer.from(canonicalJson(manifest));
  if (bytes.length > defaultLimits.manifestBytes) {
    throw new PackError(
      "ERR_PACK_TOO_LARGE",
      `the manifest has ${bytes.length} bytes, devices read ${defaultLimits.manifestBytes}; pack fewer files`,
    );
  }
  return { manifest, bytes };
}

/** Refuses here what every device would refuse. */
function judge(table: readonly TableEntry[]): void {
  try {
    judgeTable(table);
  } catch (error) {
    if (!(error instanceof ArchiveError)) throw error;
    const code = error.code === "ERR_ARCHIVE_LIMIT" ? "ERR_PACK_TOO_LARGE" : "ERR_PACK_UNSAFE";
    throw new PackError(code, error.message, { cause: error });
  }
}

/** A command with an absolute path is the device's, and not known here. */
function checkCommand(name: string, command: string, table: readonly TableEntry[]): void {
  if (posix.isAbsolute(command)) return;
  const entry = resolveFile(command, table);
  const what = `the command ${JSON.stringify(command)} of process ${JSON.stringify(name)}`;
  if (!entry) {
    throw new PackError(
      "ERR_PACK_COMMAND_MISSING",
      `${what} is not among the files; name one of them, or an absolute path on the device`,
    );
  }
  if (entry.mode !== "0755") {
    throw new PackError(
      "ERR_PACK_COMMAND_NOT_EXECUTABLE",
      `${what} is not executable; chmod +x ${entry.path}`,
    );
  }
}

async function readSchema(folder: string, path: string, table: readonly TableEntry[]) {
  const entry = resolveFile(path, table);
  if (!entry) {
    throw new PackError(
      "ERR_PACK_NO_SCHEMA",
      `configuration.schema names ${JSON.stringify(path)}, which is not among the files; add it or mend the path`,
    );
  }
  const schema = capsuleManifestSchema.shape.configuration.unwrap().shape.schema;
  const fullPath = join(folder, entry.path);
  try {
    const bytes = await readFile(fullPath);
    if (digestOf(bytes) !== entry.digest) throw changed(fullPath);
    return parseDocumentText(bytes.toString(), schema, { file: entry.path });
  } catch (error) {
    throw systemError("ERR_PACK_READ", fullPath, error);
  }
}

/** The file at `path`, links followed as far as a judged table lets them lead. */
function resolveFile(path: string, table: readonly TableEntry[]) {
  const seen = new Set<string>();
  for (let at = posix.normalize(path); !seen.has(at); ) {
    seen.add(at);
    const entry = table.find((row) => row.path === at);
    if (!entry) return undefined;
    if (!("link" in entry)) return entry;
    at = posix.normalize(posix.join(posix.dirname(at), entry.link));
  }
  return undefined;
}

function noManifest(path: string, cause?: unknown): PackError {
  return new PackError(
    "ERR_PACK_NO_MANIFEST",
    `there is no file ${path}; write one that describes the capsule`,
    { cause },
  );
}
