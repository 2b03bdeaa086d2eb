import { TrustError } from "./errors.ts";
import { excerpt, type JsonValue } from "./json.ts";

/** Options of {@link parseStrictJson}. */
export interface StrictJsonOptions {
  /** The most bytes (of UTF-8) that are looked at. Default 1,048,576 (1 MiB). */
  readonly maxBytes?: number;
  /** How deep arrays and objects may nest, 0 to 1,000. Default 64. */
  readonly maxDepth?: number;
}

/**
 * Parses JSON (RFC 8259) that comes from outside, and refuses what parsers understand
 * differently, so that everyone who checks a signature reads the same document: duplicate keys,
 * `__proto__` keys, numbers that a double cannot hold (`1e999`, integers beyond 2⁵³-1), half
 * surrogate pairs, a byte order mark, invalid UTF-8, too many bytes, too deep nesting.
 *
 * @throws {TrustError} `ERR_TRUST_MALFORMED`, with line and column
 */
export function parseStrictJson(
  input: Uint8Array | string,
  { maxBytes = 2 ** 20, maxDepth = 64 }: StrictJsonOptions = {},
): JsonValue {
  return new Parser(textOf(input, maxBytes), maxDepth).document();
}

function textOf(input: Uint8Array | string, maxBytes: number): string {
  const bytes = typeof input === "string" ? Buffer.byteLength(input) : input.byteLength;
  if (bytes > maxBytes) {
    throw new TrustError(
      "ERR_TRUST_MALFORMED",
      `the JSON has ${bytes} bytes, more than the ${maxBytes} that are allowed here`,
    );
  }
  if (typeof input === "string") return input;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(input);
  } catch (cause) {
    throw new TrustError("ERR_TRUST_MALFORMED", "the JSON is not UTF-8; send it as UTF-8", {
      cause,
    });
  }
}

const escapes: ReadonlyMap<string, string> = new Map([
  ['"', '"'],
  ["\\", "\\"],
  ["/", "/"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
]);

class Parser {
  readonly #text: string;
  readonly #maxDepth: number;
  readonly #space = /[ \t\n\r]*/y;
  readonly #numeral = /-?(?:0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y;
  #at = 0;

  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  document(): JsonValue {
    if (this.#text.startsWith("\ufeff")) throw this.#error("a byte order mark");
    const value = this.#value(0);
    this.#match(this.#space);
    if (this.#at < this.#text.length) throw this.#error("something after the end");
    return value;
  }

  #value(depth: number): JsonValue {
    this.#match(this.#space);
    switch (this.#text[this.#at]) {
      case "{":
        return this.#object(depth + 1);
      case "[":
        return this.#array(depth + 1);
      case '"':
        return this.#string();
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
      default:
        return this.#number();
    }
  }

  #object(depth: number): JsonValue {
    this.#enter(depth);
    const object: Record<string, JsonValue> = {};
    if (this.#skip("}")) return object;
    do {
      this.#match(this.#space);
      const start = this.#at;
      if (this.#text[start] !== '"') throw this.#error("something where a key should be");
      const key = this.#string();
      // Assigning it would set the prototype instead of a member.
      if (key === "__proto__") throw this.#error('a key "__proto__"', start);
      if (Object.hasOwn(object, key)) throw this.#error(`a second key ${excerpt(key)}`, start);
      if (!this.#skip(":")) throw this.#error("something where a colon should be");
      object[key] = this.#value(depth);
    } while (this.#skip(","));
    if (!this.#skip("}")) throw this.#error("something where a comma or } should be");
    return object;
  }

  #array(depth: number): JsonValue {
    this.#enter(depth);
    const array: JsonValue[] = [];
    if (this.#skip("]")) return array;
    do {
      array.push(this.#value(depth));
    } while (this.#skip(","));
    if (!this.#skip("]")) throw this.#error("something where a comma or ] should be");
    return array;
  }

  #enter(depth: number): void {
    if (depth > this.#maxDepth) throw this.#error(`nesting deeper than ${this.#maxDepth} levels`);
    this.#at++;
  }

  #string(): string {
    const start = this.#at++;
    const parts: string[] = [];
    for (;;) {
      parts.push(this.#plainCharacters());
      const next = this.#text[this.#at];
      if (next === '"') break;
      if (next === undefined) throw this.#error("a string that does not end", start);
      if (next !== "\\") throw this.#error("a control character in a string");
      parts.push(this.#escape());
    }
    this.#at++;
    const text = parts.join("");
    if (!text.isWellFormed()) throw this.#error("a string with half a surrogate pair", start);
    return text;
  }

  /** All up to the next quote, backslash or control character. */
  #plainCharacters(): string {
    const start = this.#at;
    for (; this.#at < this.#text.length; this.#at++) {
      const code = this.#text.charCodeAt(this.#at);
      if (code === 0x22 || code === 0x5c || code < 0x20) break;
    }
    return this.#text.slice(start, this.#at);
  }

  #escape(): string {
    const start = this.#at;
    const letter = this.#text[start + 1] ?? "";
    if (letter === "u") {
      const digits = this.#text.slice(start + 2, start + 6);
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw this.#error("an escape that is none", start);
      this.#at += 6;
      return String.fromCharCode(Number.parseInt(digits, 16));
    }
    const character = escapes.get(letter);
    if (character === undefined) throw this.#error("an escape that is none", start);
    this.#at += 2;
    return character;
  }

  #word<Value extends JsonValue>(word: string, value: Value): Value {
    if (!this.#text.startsWith(word, this.#at)) throw this.#error("no JSON value");
    this.#at += word.length;
    return value;
  }

  #number(): number {
    const start = this.#at;
    const match = this.#match(this.#numeral);
    if (!match) throw this.#error(start < this.#text.length ? "no JSON value" : "an end too early");
    const [text, fraction, exponent] = match;
    const value = Number(text);
    const isInteger = fraction === undefined && exponent === undefined;
    const isVanished = value === 0 && /[1-9]/.test(text.replace(/[eE].*/, ""));
    if (!Number.isFinite(value) || isVanished || (isInteger && !Number.isSafeInteger(value))) {
      throw this.#error(`a number that cannot be kept as it is, ${excerpt(text)}`, start);
    }
    return value;
  }

  /** Passes over white space and `character`; whether it was there. */
  #skip(character: string): boolean {
    this.#match(this.#space);
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  #match(pattern: RegExp): RegExpExecArray | undefined {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match) this.#at = pattern.lastIndex;
    return match ?? undefined;
  }

  #error(what: string, at = this.#at): TrustError {
    const before = this.#text.slice(0, at).split("\n");
    const position = `${before.length}:${(before.at(-1) ?? "").length + 1}`;
    return new TrustError("ERR_TRUST_MALFORMED", `${position}  the JSON has ${what}`);
  }
}
