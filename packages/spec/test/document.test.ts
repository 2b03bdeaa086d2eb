import { describe, expect, it } from "vitest";
import * as z from "zod";
import { checkDocument, parseDocumentText, SpecError } from "../src/document.ts";
import { environmentSchema, variablesOf } from "../src/environment.ts";
import { environment } from "./samples.ts";

const head = "apiVersion: roboticks/v1\nkind: Environment\n";
const read = (text: string, schema: z.ZodType = environmentSchema): unknown =>
  parseDocumentText(text, schema, { file: "e.yaml" });

/** The error that `work` throws; its message is what the user reads. */
function refusal(work: () => unknown): SpecError {
  try {
    work();
  } catch (error) {
    if (error instanceof SpecError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}

describe("a text that is good", () => {
  it("gives its values", () => {
    expect(variablesOf(parseDocumentText(environment, environmentSchema, { file: "" }))).toEqual({
      MAP: "floor-2",
      MAX_SPEED: "1.2",
      DEBUG: "false",
      VERSION: "1.10",
    });
  });

  it("may repeat a value by an anchor", () => {
    expect(read(`${head}variables:\n  A: &same here\n  B: *same\n`)).toMatchObject({
      variables: { A: "here", B: "here" },
    });
  });

  it("may be JSON, tabs included", () => {
    expect(
      read('{\n\t"apiVersion": "roboticks/v1",\n\t"kind": "Environment",\n\t"variables": {}\n}'),
    ).toMatchObject({ variables: {} });
  });

  it("may be long, as far as it is allowed, with short keys", () => {
    const keys = Array.from({ length: 45_000 }, (_, n) => `${n.toString(36)}:,`).join("");
    expect(Object.keys(read(`{${keys}}`, z.record(z.string(), z.null())) as object)).toHaveLength(
      45_000,
    );
  });
});

describe("a text that is refused", () => {
  it.each([
    [
      "a key twice",
      `${head}kind: Environment\nvariables: {}\n`,
      '3:1  key "kind" stands twice; keep one  [ERR_SPEC_SYNTAX]',
    ],
    [
      "a key twice in JSON",
      '{"kind": "Environment", "kind": "Environment"}',
      '1:25  key "kind" stands twice; keep one  [ERR_SPEC_SYNTAX]',
    ],
    [
      "tabs for indentation",
      `${head}variables:\n\tA: b\n`,
      "4:1  Tabs are not allowed as indentation  [ERR_SPEC_SYNTAX]",
    ],
    [
      "two documents",
      `${head}variables: {}\n---\na: b\n`,
      "4:1  a second document begins here; one file holds one  [ERR_SPEC_SYNTAX]",
    ],
    [
      "a tag",
      `${head}variables: { A: !secret x }\n`,
      "3:17  Unresolved tag: !secret  [ERR_SPEC_SYNTAX]",
    ],
    [
      "a key that is a list",
      "? [a]\n: b\n",
      "1:3  With stringKeys, all keys must be strings  [ERR_SPEC_SYNTAX]",
    ],
    [
      "__proto__ as a variable",
      `${head}variables:\n  __proto__: x\n`,
      '4:3  "__proto__" is no key that a document may have  [ERR_SPEC_INVALID]',
    ],
    [
      "__proto__ at the top",
      `${head}__proto__: x\nvariables: {}\n`,
      '3:1  "__proto__" is no key that a document may have  [ERR_SPEC_INVALID]',
    ],
    [
      "a number that would change",
      `${head}variables:\n  VERSION: 1.10\n`,
      '4:12  1.10 is read as 1.1; write that, or "1.10" if text is meant  [ERR_SPEC_INVALID]',
    ],
    [
      "a number that is too long",
      `${head}variables:\n  ID: 12345678901234567890\n`,
      '4:7  12345678901234567890 is read as 12345678901234567000; write that, or "12345678901234567890" if text is meant  [ERR_SPEC_INVALID]',
    ],
    [
      "a number that is none",
      `${head}variables:\n  A: 1e999\n`,
      '4:6  1e999 is read as Infinity; write that, or "1e999" if text is meant  [ERR_SPEC_INVALID]',
    ],
    [
      "a value that is a list",
      `${head}variables:\n  A: [1]\n`,
      "4:6  variables.A: a value is text without NUL characters, a number, true or false  [ERR_SPEC_INVALID]",
    ],
    [
      "a NUL",
      `${head}variables:\n  A: "\\0"\n`,
      "4:6  variables.A: a value is text without NUL characters, a number, true or false  [ERR_SPEC_INVALID]",
    ],
    [
      "a bad name",
      `${head}variables:\n  1A: x\n`,
      '4:3  "1A" in variables: a variable\'s name has A-Z, a-z, 0-9 and _ and does not begin with a digit  [ERR_SPEC_INVALID]',
    ],
    [
      "merge keys",
      `${head}variables:\n  <<: x\n`,
      '4:3  "<<" in variables: a variable\'s name has A-Z, a-z, 0-9 and _ and does not begin with a digit  [ERR_SPEC_INVALID]',
    ],
    [
      "a key that nothing is like",
      `${head}variables: {}\nspeed: 1\n`,
      '4:1  unknown key "speed"; known are "$schema", "apiVersion", "kind", "variables"  [ERR_SPEC_UNKNOWN_KEY]',
    ],
    ["a missing key", `${head}`, '1:1  "variables" is missing  [ERR_SPEC_MISSING_KEY]'],
  ])("%s", (_, text, message) => {
    expect(refusal(() => read(text)).message).toBe(`e.yaml:${message}`);
  });

  it("nothing at all", () => {
    expect(refusal(() => read("")).message).toBe(
      "e.yaml  the document: Invalid input: expected object, received null  [ERR_SPEC_INVALID]",
    );
  });

  it("aliases that multiply", () => {
    const level = (name: string, of: string): string =>
      `${name}: &${name} [${`*${of}, `.repeat(9)}]`;
    const text = [
      "a: &a [x, x, x, x, x, x, x, x, x]",
      level("b", "a"),
      level("c", "b"),
      level("d", "c"),
    ];
    expect(refusal(() => read(text.join("\n"))).message).toBe(
      "e.yaml  its aliases (*name) stand for too much, or for nothing; write the values out  [ERR_SPEC_SYNTAX]",
    );
  });

  it("an alias of what it is inside of", () => {
    const json = z.record(z.string(), z.json());
    expect(refusal(() => read("a: &a\n  b: *a\n", json)).message).toContain(
      "nested more than 100 deep",
    );
  });

  it.each([
    ["flow lists", `a: ${"[".repeat(20_000)}${"]".repeat(20_000)}`],
    ["lists that do not end", `a: ${"[".repeat(20_000)}`],
    ["block lists", `a:\n  ${"- ".repeat(20_000)}x`],
    ["flow maps", "{a: ".repeat(20_000)],
    ["complex keys", "? ".repeat(20_000)],
  ])("%s, very deep", (_, text) => {
    const { message } = refusal(() => read(text));
    expect(message).toMatch(
      /^e.yaml:\d+:\d+ {2}lists and maps are nested more than 100 deep; a document is flatter {2}\[ERR_SPEC_SYNTAX\]$/,
    );
  });

  it("200,000 keys, by their size alone", () => {
    const text = Array.from({ length: 200_000 }, (_, n) => `k${n}: 1\n`).join("");
    const error = refusal(() => read(text));
    expect(error.code).toBe("ERR_SPEC_TOO_LARGE");
    expect(error.message).toBe(
      "e.yaml  is 2088890 bytes; a document has at most 262144  [ERR_SPEC_TOO_LARGE]",
    );
  });

  it("a flood of problems: told of the first twenty", () => {
    const keys = Array.from({ length: 30_000 }, (_, n) => `x${n}: 1`).join(", ");
    const error = refusal(() =>
      parseDocumentText(`{${keys}}`, environmentSchema, { file: "e.yaml", maxBytes: 2 ** 20 }),
    );
    expect(error.problems).toHaveLength(20);
    expect(error.message.split("\n").at(-1)).toBe("e.yaml  … and more");
  });

  it("every problem at once, with code and path for programs", () => {
    const error = refusal(() =>
      read("apiVersion: roboticks/v2\nkind: Environment\nvariabels: {}\n"),
    );
    expect(error.problems).toMatchObject([
      { code: "ERR_SPEC_INVALID", path: ["apiVersion"], line: 1, column: 13 },
      { code: "ERR_SPEC_MISSING_KEY", path: ["variables"], line: 1, column: 1 },
      { code: "ERR_SPEC_UNKNOWN_KEY", path: ["variabels"], line: 3, column: 1 },
    ]);
    expect(error.code).toBe("ERR_SPEC_INVALID");
    expect(error.message).toContain('did you mean "variables"?');
  });
});

describe("a value that a program wrote", () => {
  const schema = z.strictObject({ signed: z.record(z.string(), z.json()) });
  const check = (value: unknown): unknown => checkDocument(value, schema, { file: "order" });

  it("is given back as the schema says", () => {
    expect(check({ signed: { a: [1] } })).toEqual({ signed: { a: [1] } });
  });

  it("with __proto__ in it is refused, not shortened", () => {
    expect(refusal(() => check(JSON.parse('{"signed": {"__proto__": {"a": 1}}}'))).message).toBe(
      'order  "__proto__" is no key that a document may have  [ERR_SPEC_INVALID]',
    );
  });

  it("that is 100,000 deep is refused, and does not exhaust the stack", () => {
    const deep: unknown = JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`);
    expect(refusal(() => check({ signed: { deep } })).code).toBe("ERR_SPEC_INVALID");
  });

  it("of another kind is refused by path", () => {
    expect(refusal(() => check({ signed: 1 })).message).toBe(
      "order  signed: Invalid input: expected record, received number  [ERR_SPEC_INVALID]",
    );
  });
});
