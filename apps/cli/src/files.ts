import { readFile, stat } from "node:fs/promises";
import { toError } from "@roboticks/core";
import { type CapsuleManifest, capsuleManifestSchema } from "@roboticks/spec/capsule";
import { checkDocument, parseDocumentText } from "@roboticks/spec/document";
import { parseStrictJson } from "@roboticks/trust";
import { CliError } from "./errors.ts";

type Schema = Parameters<typeof parseDocumentText>[1];

/**
 * Reads and checks a document that a person wrote.
 *
 * @throws {CliError} `ERR_CLI_FILE` when it cannot be read
 * @throws {SpecError} with every problem in it
 */
export async function readDocument<S extends Schema>(
  file: string,
  schema: S,
): Promise<ReturnType<typeof parseDocumentText<S>>> {
  return parseDocumentText(await readText(file), schema, { file });
}

/** No document is longer, in bytes; the reader's own limit comes after the reading. */
const longestDocument = 4 * 2 ** 20;

/** A manifest is as long as archives allow, in bytes: it names every file. */
const longestManifest = 16 * 2 ** 20;

/**
 * Checks a packed manifest; `file` is what messages call it.
 *
 * @throws {TrustError} when it is no strict JSON
 * @throws {SpecError} with every problem in it
 */
export function parseManifest(bytes: Uint8Array, file: string): CapsuleManifest {
  const value = parseStrictJson(bytes, { maxBytes: longestManifest });
  return checkDocument(value, capsuleManifestSchema, { file });
}

/** The text of `file`. */
export async function readText(file: string): Promise<string> {
  try {
    const stats = await stat(file);
    if (!stats.isFile()) throw new Error("it is no file");
    if (stats.size > longestDocument) throw new Error(`it has ${stats.size} bytes`);
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new CliError("ERR_CLI_FILE", `cannot read ${file}: ${toError(cause).message}`, { cause });
  }
}
