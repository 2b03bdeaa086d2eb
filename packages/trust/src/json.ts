import { TrustError } from "./errors.ts";

/** A value that JSON can hold. */
export type JsonValue = null | boolean | number | string | readonly JsonValue[] | JsonObject;

/** An object that JSON can hold. */
export interface JsonObject {
  readonly [key: string]: JsonValue;
}

/** Whether `value` is an object of JSON: no array, not null. */
export function isJsonObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The member `key` of `object` itself; what it merely inherits is not there. */
export function memberOf(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/**
 * `value` as an object that has all `keys` and no other.
 *
 * @param what names the value in the error's message
 * @throws {TrustError} `ERR_TRUST_MALFORMED`
 */
export function exactObject(
  value: JsonValue | undefined,
  keys: readonly string[],
  what: string,
): JsonObject {
  if (!isJsonObject(value)) throw malformed(`${what} is no object`);
  for (const key of keys) {
    if (!Object.hasOwn(value, key)) throw malformed(`${what} lacks ${JSON.stringify(key)}`);
  }
  for (const key of Object.keys(value)) {
    if (!keys.includes(key)) throw malformed(`${what} has an unknown key ${excerpt(key)}`);
  }
  return value;
}

/** What is wrong with a document, as the error to throw. */
export function malformed(flaw: string): TrustError {
  return new TrustError("ERR_TRUST_MALFORMED", `${flaw}; have it made again`);
}

/** The beginning of a text from outside, quoted, short enough for a message. */
export function excerpt(text: string): string {
  return JSON.stringify(text.length > 64 ? `${text.slice(0, 64)}…` : text);
}
