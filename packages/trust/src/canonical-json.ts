import { type Digest, digestOf } from "@roboticks/core/digest";
import { TrustError } from "./errors.ts";
import { excerpt } from "./json.ts";

/** How deep a value may nest; also what a value that contains itself runs into. */
const deepest = 200;

/**
 * The one text of `value` that is signed: canonical JSON as TUF uses it (wiki.laptop.org/go/
 * Canonical_JSON). No white space; keys in the order of their code points; in strings only `"`
 * and `\` are escaped, so a text with control characters is canonical JSON, but not JSON.
 *
 * Numbers are integers from -(2⁵³-1) to 2⁵³-1, because writers of other fractions do not agree;
 * -0 is 0.
 *
 * @throws {TrustError} `ERR_TRUST_MALFORMED` for what this form cannot hold: fractions, other
 *   numbers, `undefined` (also as a member), half surrogate pairs, anything but plain objects
 *   and arrays without holes, nesting deeper than 200
 */
export function canonicalJson(value: unknown): string {
  return encode(value, "", 0);
}

/** The digest of the canonical JSON of `value`: the same for every way to write it down. */
export function documentDigest(value: unknown): Digest {
  return digestOf(canonicalJson(value));
}

function encode(value: unknown, path: string, depth: number): string {
  switch (typeof value) {
    case "boolean":
      return String(value);
    case "number":
      if (!Number.isSafeInteger(value))
        throw flaw(path, `is ${value}, no integer within ±(2^53-1)`);
      return String(value);
    case "string":
      return encodeString(value, path);
    case "object":
      break;
    default:
      throw flaw(path, `is ${value === undefined ? "undefined" : `a ${typeof value}`}`);
  }
  if (value === null) return "null";
  if (depth === deepest)
    throw flaw(path, `nests deeper than ${deepest} levels, or contains itself`);
  return Array.isArray(value) ? encodeArray(value, path, depth) : encodeObject(value, path, depth);
}

function encodeString(text: string, path: string): string {
  if (!text.isWellFormed()) throw flaw(path, "has half a surrogate pair");
  return `"${text.replace(/["\\]/g, "\\$&")}"`;
}

function encodeArray(array: readonly unknown[], path: string, depth: number): string {
  // Array.from gives holes as undefined, which are refused then; map would pass over them.
  const parts = Array.from(array, (item, index) => encode(item, `${path}[${index}]`, depth + 1));
  return `[${parts.join(",")}]`;
}

function encodeObject(object: object, path: string, depth: number): string {
  if (!isPlain(object)) throw flaw(path, "is no plain object");
  if (Object.getOwnPropertySymbols(object).length > 0) throw flaw(path, "has a symbol as key");
  const members = new Map<string, unknown>(Object.entries(object));
  const parts = [...members.keys()].sort(byCodePoint).map((key) => {
    const at = path === "" ? key : `${path}.${key}`;
    return `${encodeString(key, at)}:${encode(members.get(key), at, depth + 1)}`;
  });
  return `{${parts.join(",")}}`;
}

/** Whether it was written as `{}`; by shape, so that objects of another realm count too. */
function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** JavaScript's own order of strings puts U+1F916 before U+FFEE, other languages do not. */
function byCodePoint(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

function flaw(path: string, what: string): TrustError {
  return new TrustError(
    "ERR_TRUST_MALFORMED",
    `${path === "" ? "the value" : excerpt(path)} ${what}: canonical JSON cannot hold it`,
  );
}
