import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseStrictJson, TrustError } from "../src/index.ts";

describe("parseStrictJson", () => {
  it("reads what JSON is", () => {
    const text =
      ' {"a" : [ 1 , -2.5e-3 , 0 , true , false , null ] , "b\\u0041\\n\\/": "\\ud83e\\udd16" , "": {} , "c": [ ] }\r\n\t';
    expect(parseStrictJson(text)).toEqual({
      a: [1, -0.0025, 0, true, false, null],
      "bA\n/": "\u{1f916}",
      "": {},
      c: [],
    });
    expect(parseStrictJson(Buffer.from('"ü"'))).toBe("ü");
  });

  it("reads all that JSON.stringify writes", () => {
    fc.assert(
      fc.property(fc.json({ depthSize: "medium", stringUnit: "grapheme" }), (text) => {
        fc.pre(!text.includes('"__proto__":') && !hasInexactInteger(text));
        expect(parseStrictJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it("never takes what JSON.parse refuses, and never fails with another error", () => {
    const fragments = [
      "{",
      "}",
      "[",
      "]",
      ",",
      ":",
      '"',
      "\\",
      '"a"',
      "1",
      "-",
      ".",
      "e",
      "0",
      " ",
      "\n",
      "null",
      "tru",
      "\\u12",
      "\x01",
    ];
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...fragments), { maxLength: 12 }), (parts) => {
        const text = parts.join("");
        const ours = outcome(() => parseStrictJson(text));
        const theirs = outcome(() => JSON.parse(text));
        if (theirs.error) expect(ours.error).toBeInstanceOf(TrustError);
        if (!ours.error) expect(ours.value).toEqual(theirs.value);
      }),
      { numRuns: 3_000 },
    );
  });

  it.each([
    ["a duplicate key", '{"a":1,\n "a":2}', '2:2  the JSON has a second key "a"'],
    ["a duplicate key in disguise", '{"a":1,"\\u0061":2}', '1:8  the JSON has a second key "a"'],
    ["a __proto__ key", '[{"__proto__":{}}]', '1:3  the JSON has a key "__proto__"'],
    ["a __proto__ key in disguise", '{"__\\u0070roto__":1}', "__proto__"],
    [
      "a number out of range",
      "[1e999]",
      '1:2  the JSON has a number that cannot be kept as it is, "1e999"',
    ],
    ["a number that vanishes", "1e-999", "cannot be kept"],
    ["an integer that is not exact", "9007199254740993", "cannot be kept"],
    ["a byte order mark", "\ufeff{}", "1:1  the JSON has a byte order mark"],
    ["half a surrogate pair", '"\\ud83e"', "half a surrogate pair"],
    ["half a surrogate pair, unescaped", '"\ud83e"', "half a surrogate pair"],
    ["a control character", '"a\nb"', "1:3  the JSON has a control character"],
    ["a string that does not end", '{"a":"b', "1:6  the JSON has a string that does not end"],
    ["nothing", "", "1:1  the JSON has an end too early"],
    ["two values", "1 2", "1:3  the JSON has something after the end"],
    ["a comma at the end", "[1,]", "1:4  the JSON has no JSON value"],
    ["a comment", "/* */ 1", "no JSON value"],
    ["a leading zero", "01", "after the end"],
    ["a plus sign", "+1", "no JSON value"],
    ["NaN", "NaN", "no JSON value"],
    ["single quotes", "{'a':1}", "where a key should be"],
    ["a missing colon", '{"a" 1}', "where a colon should be"],
    ["an unknown escape", '"\\x41"', "an escape that is none"],
    ["other white space", "\u00a01", "no JSON value"],
  ])("refuses %s, and says where", (_, text, message) => {
    expect(() => parseStrictJson(text)).toThrow(
      expect.objectContaining({
        code: "ERR_TRUST_MALFORMED",
        message: expect.stringContaining(message),
      }),
    );
  });

  it("refuses bytes that are not UTF-8", () => {
    for (const bytes of [
      [0x22, 0xff, 0x22],
      [0x22, 0xc0, 0x80, 0x22],
      [0x22, 0xed, 0xa0, 0x80, 0x22],
    ]) {
      expect(() => parseStrictJson(Uint8Array.from(bytes))).toThrow(/not UTF-8/);
    }
    expect(() => parseStrictJson(Buffer.from("\ufeff{}"))).toThrow(/byte order mark/);
  });

  it("refuses what nests too deep, 100,000 levels too", () => {
    const nested = (depth: number): string => "[".repeat(depth) + "]".repeat(depth);
    expect(parseStrictJson(nested(64))).toBeInstanceOf(Array);
    expect(() => parseStrictJson(nested(65))).toThrow(/deeper than 64 levels/);
    expect(() => parseStrictJson('{"a":'.repeat(100_000))).toThrow(/deeper than 64 levels/);
    expect(() => parseStrictJson("[[1]]", { maxDepth: 1 })).toThrow(/deeper than 1 level/);
    expect(parseStrictJson("1", { maxDepth: 0 })).toBe(1);
  });

  it("counts bytes, not characters, and before it looks at any", () => {
    expect(parseStrictJson('"ü"', { maxBytes: 4 })).toBe("ü");
    expect(() => parseStrictJson('"ü"', { maxBytes: 3 })).toThrow(/4 bytes, more than the 3/);
    expect(() => parseStrictJson(new Uint8Array(2 ** 20 + 1))).toThrow(/more than the 1048576/);
  });

  it("keeps a message short, whatever it quotes", () => {
    const key = JSON.stringify("k".repeat(10_000));
    expect(outcome(() => parseStrictJson(`{${key}:1,${key}:2}`)).error?.message).toSatisfy(
      (message: string) => message.length < 150,
    );
  });

  it("makes objects that inherit nothing surprising", () => {
    const parsed = parseStrictJson('{"constructor":1,"toString":2,"hasOwnProperty":3}');
    expect(Object.getPrototypeOf(parsed)).toBe(Object.prototype);
    expect(parsed).toEqual({ constructor: 1, toString: 2, hasOwnProperty: 3 });
  });
});

function outcome(work: () => unknown): { readonly value?: unknown; readonly error?: Error } {
  try {
    return { value: work() };
  } catch (error) {
    return { error: error instanceof Error ? error : new Error(String(error)) };
  }
}

/** Whether JSON.parse would change an integer, which the strict parser refuses. */
function hasInexactInteger(text: string): boolean {
  return (text.match(/-?\d+/g) ?? []).some((digits) => !Number.isSafeInteger(Number(digits)));
}
