import { nearest } from "@roboticks/core";
import type * as z from "zod";
import { type Problem, SpecError } from "./errors.ts";
import { keysAt } from "./schema-walk.ts";
import { badShape } from "./shape.ts";
import { type PlaceOf, readYamlText } from "./yaml-text.ts";

export { type Problem, SpecError, type SpecErrorCode, specErrorCodes } from "./errors.ts";

/** Options of the document readers. */
export interface DocumentOptions {
  /** How messages call the document, e.g. `deployment.yaml`. */
  readonly file: string;
  /** More bytes than this are refused before parsing. Default 256 KiB. */
  readonly maxBytes?: number;
}

/**
 * Reads a document that a person wrote, YAML or JSON, and checks it against `schema`.
 *
 * @throws {SpecError} with the first 20 problems, each with its line and column
 */
export function parseDocumentText<Schema extends z.ZodType>(
  text: string,
  schema: Schema,
  { file, maxBytes = 256 * 1024 }: DocumentOptions,
): z.output<Schema> {
  // Before parsing, which takes a second for a megabyte of keys.
  const bytes = new TextEncoder().encode(text).length;
  if (bytes > maxBytes) {
    throw new SpecError(
      "ERR_SPEC_TOO_LARGE",
      `${file}  is ${bytes} bytes; a document has at most ${maxBytes}  [ERR_SPEC_TOO_LARGE]`,
    );
  }
  const read = readYamlText(text);
  if ("problems" in read) throw failed(file, read.problems);
  return check(read.value, schema, file, read.placeOf);
}

/**
 * Checks a value that a program wrote (a packed manifest, a signed document, a body) against
 * `schema`; places are named by path only.
 *
 * @throws {SpecError} with the first 20 problems
 */
export function checkDocument<Schema extends z.ZodType>(
  value: unknown,
  schema: Schema,
  { file }: { readonly file: string },
): z.output<Schema> {
  return check(value, schema, file, () => ({}));
}

function check<Schema extends z.ZodType>(
  value: unknown,
  schema: Schema,
  file: string,
  placeOf: PlaceOf,
): z.output<Schema> {
  const bad = badShape(value);
  if (bad) {
    const { message, path, key } = bad;
    throw failed(file, [
      {
        code: "ERR_SPEC_INVALID",
        message,
        path: key ? [...path, key] : path,
        ...placeOf(path, key),
      },
    ]);
  }
  const result = schema.safeParse(value, { reportInput: true });
  if (result.success) return result.data;
  throw failed(
    file,
    result.error.issues
      .slice(0, mostProblems + 1)
      .flatMap((issue) => problemsOf(issue, schema, placeOf)),
  );
}

/** As many are told of one document; a flood of them helps nobody, and takes time to place. */
const mostProblems = 20;

function problemsOf(issue: z.core.$ZodIssue, schema: z.ZodType, placeOf: PlaceOf): Problem[] {
  const path = issue.path.map((part) => (typeof part === "symbol" ? String(part) : part));
  const last = path.at(-1);
  const parent = path.slice(0, -1);
  const at = (where: readonly (string | number)[]): string =>
    where.length > 0 ? ` in ${where.join(".")}` : "";
  const name = path.join(".") || "the document";

  if (issue.code === "unrecognized_keys") {
    const known = keysAt(schema, path);
    return issue.keys.slice(0, mostProblems + 1).map((key) => ({
      code: "ERR_SPEC_UNKNOWN_KEY",
      message: `unknown key "${key}"${at(path)}; ${hint(key, known)}`,
      path: [...path, key],
      ...placeOf(path, key),
    }));
  }
  if (issue.code === "invalid_type" && issue.expected === "never") {
    const message = `"${name}" is not supported yet; remove it`;
    return [{ code: "ERR_SPEC_UNSUPPORTED", message, path, ...placeOf(parent, String(last)) }];
  }
  if (issue.code === "invalid_key") {
    const message = `"${last}"${at(parent)}: ${issue.issues[0]?.message ?? issue.message}`;
    return [{ code: "ERR_SPEC_INVALID", message, path, ...placeOf(parent, String(last)) }];
  }
  if (issue.input === undefined && last !== undefined) {
    const message = `"${last}" is missing${at(parent)}`;
    return [{ code: "ERR_SPEC_MISSING_KEY", message, path, ...placeOf(parent) }];
  }
  return [
    { code: "ERR_SPEC_INVALID", message: `${name}: ${issue.message}`, path, ...placeOf(path) },
  ];
}

function hint(key: string, known: readonly string[]): string {
  const guess = nearest(key, known);
  if (guess) return `did you mean "${guess}"?`;
  return `known are ${known.map((name) => `"${name}"`).join(", ") || "none"}`;
}

function failed(file: string, all: readonly Problem[]): SpecError {
  const problems = all.slice(0, mostProblems);
  const lines = problems.map(({ code, message, line, column }) => {
    const where = line === undefined ? file : `${file}:${line}:${column}`;
    return `${where}  ${message}  [${code}]`;
  });
  if (all.length > mostProblems) lines.push(`${file}  … and more`);
  return new SpecError(problems[0]?.code ?? "ERR_SPEC_INVALID", lines.join("\n"), { problems });
}
