import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalJson, documentDigest, parseStrictJson } from "../src/index.ts";

const malformed = expect.objectContaining({ code: "ERR_TRUST_MALFORMED" });

describe("canonicalJson", () => {
  it("has no white space and sorts keys, at every depth", () => {
    const value = { b: [3, { z: null, a: true }], a: "x", "": false };
    expect(canonicalJson(value)).toBe('{"":false,"a":"x","b":[3,{"a":true,"z":null}]}');
  });

  it("sorts by code point, where JavaScript would not", () => {
    expect(canonicalJson({ "\u{1f916}": 1, "\uffee": 2, Z: 3, a: 4, "10": 5, "9": 6 })).toBe(
      '{"10":5,"9":6,"Z":3,"a":4,"\uffee":2,"\u{1f916}":1}',
    );
  });

  it("escapes quotes and backslashes alone", () => {
    expect(canonicalJson('a"b\\c\n\t\0ü\u2028/')).toBe('"a\\"b\\\\c\n\t\0ü\u2028/"');
    expect(canonicalJson({ 'a"': 1 })).toBe('{"a\\"":1}');
  });

  it("takes names of the prototype for what they are", () => {
    const value = JSON.parse('{"__proto__":{"x":1},"constructor":2,"toString":3}');
    expect(canonicalJson(value)).toBe('{"__proto__":{"x":1},"constructor":2,"toString":3}');
  });

  it("writes integers in full, and one zero", () => {
    expect(canonicalJson([Number.MAX_SAFE_INTEGER, -1, -0, 1e3])).toBe(
      "[9007199254740991,-1,0,1000]",
    );
  });

  it("passes over members that are absent, and refuses those that are undefined", () => {
    const optional: { readonly a: number; readonly b?: number } = { a: 1 };
    expect(canonicalJson(optional)).toBe('{"a":1}');
    expect(() => canonicalJson({ a: 1, b: undefined })).toThrow(/"b" is undefined/);
  });

  it.each<[string, unknown]>([
    ["a fraction", 0.5],
    ["an integer that is not exact", 2 ** 53],
    ["NaN", Number.NaN],
    ["infinity", Number.NEGATIVE_INFINITY],
    ["undefined", undefined],
    ["a function", () => 1],
    ["a big integer", 1n],
    ["half a surrogate pair", "\ud83e"],
    ["half a surrogate pair in a key", { "\udd16": 1 }],
    ["a hole", new Array(1)],
    ["a date", new Date(0)],
    ["a map", new Map()],
    ["bytes", new Uint8Array(1)],
    ["a symbol as key", { [Symbol("s")]: 1 }],
    ["an object of a class", new (class Robot {})()],
  ])("refuses %s, wherever it is", (_, value) => {
    expect(() => canonicalJson(value)).toThrow(malformed);
    expect(() => canonicalJson({ a: [value] })).toThrow(malformed);
  });

  it("refuses what contains itself, and names where", () => {
    const circular: { self?: unknown } = {};
    circular.self = circular;
    expect(() => canonicalJson(circular)).toThrow(/"self\.self.*contains itself/);
  });
});

/** Every value that canonical JSON can hold. */
const canonical = (text: fc.Arbitrary<string>) =>
  fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom(null, true, false),
      fc.maxSafeInteger(),
      text,
      fc.array(tie("value"), { maxLength: 5 }),
      fc.dictionary(text, tie("value"), { maxKeys: 5, noNullPrototype: true }),
    ),
  })).value;

const isProto = (value: unknown): boolean => JSON.stringify(value).includes('"__proto__":');
const text = fc.string({ unit: "binary" }).filter((value) => value.isWellFormed());
const printable = fc.string({ unit: "grapheme" });

describe("every value", () => {
  it("has the same canonical form after a trip through JSON", () => {
    fc.assert(
      fc.property(canonical(text), (value) => {
        fc.pre(!isProto(value));
        const travelled = parseStrictJson(JSON.stringify(value, undefined, 2));
        expect(canonicalJson(travelled)).toBe(canonicalJson(value));
        expect(documentDigest(travelled)).toBe(documentDigest(value));
      }),
    );
  });

  it("without control characters is read back from its canonical form", () => {
    fc.assert(
      fc.property(canonical(printable), (value) => {
        fc.pre(!isProto(value));
        const form = canonicalJson(value);
        expect(canonicalJson(parseStrictJson(form))).toBe(form);
      }),
    );
  });

  it("that differs has another canonical form", () => {
    fc.assert(
      fc.property(canonical(text), canonical(text), (a, b) => {
        const areEqual = JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
        expect(canonicalJson(a) === canonicalJson(b)).toBe(areEqual);
      }),
    );
  });
});

/** The value with its keys in one order, so that JSON.stringify compares it. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const members = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return { members: members.map(([key, member]) => [key, sorted(member)]) };
}
