import { StoreError } from "./errors.ts";

/** How deep a value may nest; also what a value that contains itself runs into. */
const deepest = 200;

/**
 * `value` as JSON text that reads back as the same value (but for -0, which comes back as 0).
 *
 * `JSON.stringify` alone drops functions and `undefined`, turns NaN into null and a Map into
 * `{}`. A store that did so would lose state without a word, so all of that is refused.
 *
 * @param what names the value in the error's message
 * @throws {StoreError} `ERR_STORE_INVALID`
 */
export function toJsonText(value: unknown, what: string): string {
  const flaw = findFlaw(value, "", 0);
  if (flaw) throw new StoreError("ERR_STORE_INVALID", `${what} cannot be kept as JSON: ${flaw}`);
  return JSON.stringify(value);
}

/** What keeps `value` from being JSON, or `undefined`. */
function findFlaw(value: unknown, path: string, depth: number): string | undefined {
  const at = path === "" ? "the value" : path;
  switch (typeof value) {
    case "boolean":
      return undefined;
    case "number":
      return Number.isFinite(value) ? undefined : `${at} is ${value}`;
    case "string":
      return value.isWellFormed() ? undefined : `${at} has half a surrogate pair`;
    case "object":
      break;
    default:
      return `${at} is ${value === undefined ? "undefined" : `a ${typeof value}`}`;
  }
  if (value === null) return undefined;
  if (depth === deepest) return `${at} nests deeper than ${deepest} levels, or contains itself`;
  return Array.isArray(value)
    ? findFlawInArray(value, path, depth)
    : findFlawInObject(value, path, depth);
}

function findFlawInArray(
  array: readonly unknown[],
  path: string,
  depth: number,
): string | undefined {
  // By index, because forEach and the like pass over holes.
  for (let index = 0; index < array.length; index++) {
    const flaw = findFlaw(array[index], `${path}[${index}]`, depth + 1);
    if (flaw) return flaw;
  }
  return undefined;
}

function findFlawInObject(object: object, path: string, depth: number): string | undefined {
  const at = path === "" ? "the value" : path;
  if (!isPlain(object)) return `${at} is no plain object`;
  if (Object.getOwnPropertySymbols(object).length > 0) return `${at} has a symbol as key`;
  for (const [key, member] of Object.entries(object)) {
    // Harmless as text, but whoever copies the parsed object by assignment sets a prototype.
    if (key === "__proto__") return `${at} has a key "__proto__"`;
    if (!key.isWellFormed()) return `${at} has a key with half a surrogate pair`;
    const flaw = findFlaw(member, path === "" ? key : `${path}.${key}`, depth + 1);
    if (flaw) return flaw;
  }
  return undefined;
}

/** Whether it was written as `{}`; by shape, so that objects of another realm count too. */
function isPlain(object: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(object);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
