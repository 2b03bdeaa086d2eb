import { readFile, stat } from "node:fs/promises";
import { toError } from "@roboticks/core";
import { parseDocumentText } from "@roboticks/spec/document";
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
