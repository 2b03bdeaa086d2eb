import { describe, expect, it } from "vitest";
import { ConfigError, checkSchema, validateVariables } from "../src/index.ts";

const schema = {
  $schema: "https://json-schema.org/draft/2020-12/schema",
  type: "object",
  properties: {
    GREETING: { type: "string", minLength: 1 },
    PORT: { type: "integer", minimum: 1, maximum: 65_535, default: 8_080 },
    DEBUG: { type: "boolean" },
    MODE: { enum: ["fast", "safe"] },
    TOKEN: { type: "string", pattern: "^[a-f0-9]+$", writeOnly: true },
  },
  required: ["GREETING"],
  additionalProperties: false,
};

describe("validateVariables", () => {
  it("takes text for the numbers and booleans that stand there", () => {
    expect(validateVariables(schema, { GREETING: "Hi", PORT: "8080", DEBUG: "true" })).toEqual([]);
  });

  it("finds every problem, each with variable, value, rule and a sentence", () => {
    const problems = validateVariables(schema, { GREETING: "", PORT: "70000", MODE: "quick" });
    expect(problems).toEqual([
      {
        variable: "GREETING",
        value: "",
        rule: "minLength",
        message: 'GREETING is "" and must NOT have fewer than 1 characters',
      },
      {
        variable: "PORT",
        value: "70000",
        rule: "maximum",
        message: 'PORT is "70000" and must be <= 65535',
      },
      {
        variable: "MODE",
        value: "quick",
        rule: "enum",
        message: 'MODE is "quick" and must be one of "fast", "safe"',
      },
    ]);
  });

  it("refuses text that is no number", () => {
    expect(validateVariables(schema, { GREETING: "Hi", PORT: "80a" })).toMatchObject([
      { variable: "PORT", rule: "type", message: 'PORT is "80a" and must be integer' },
    ]);
  });

  it("names the variable that was probably meant", () => {
    expect(validateVariables(schema, { GREETING: "Hi", PROT: "1" })).toMatchObject([
      { variable: "PROT", nearest: "PORT", message: 'PROT is unknown; did you mean "PORT"?' },
    ]);
    expect(validateVariables(schema, { GRETING: "Hi" })).toMatchObject([
      { variable: "GREETING", rule: "required", nearest: "GRETING" },
      { variable: "GRETING", rule: "additionalProperties", nearest: "GREETING" },
    ]);
  });

  it("lists what is known where nothing is near", () => {
    const [problem] = validateVariables(schema, { GREETING: "Hi", SOMETHING_ELSE: "1" });
    expect(problem).not.toHaveProperty("nearest");
    expect(problem?.message).toContain("known are GREETING, PORT, DEBUG, MODE, TOKEN");
  });

  it.each([
    ["at the top", schema],
    [
      "by reference",
      {
        $defs: { s: { type: "string", pattern: "^[a-f0-9]+$", writeOnly: true } },
        type: "object",
        properties: { TOKEN: { $ref: "#/$defs/s" } },
      },
    ],
    [
      "in an allOf",
      {
        type: "object",
        allOf: [{ properties: { TOKEN: { type: "string", enum: ["ab"], writeOnly: true } } }],
      },
    ],
    ["by a const", { type: "object", properties: { TOKEN: { const: "5ecret", writeOnly: true } } }],
  ])("never shows a value that is writeOnly %s", (_, secret) => {
    const problems = validateVariables(secret, { GREETING: "Hi", TOKEN: "hunter2" });
    expect(problems).toMatchObject([{ variable: "TOKEN" }]);
    expect(JSON.stringify(problems)).not.toMatch(/hunter2|5ecret|"ab"/);
  });

  it("shortens long values", () => {
    const [problem] = validateVariables(schema, { GREETING: "Hi", PORT: "x".repeat(30_000) });
    expect(problem?.message.length).toBeLessThan(300);
  });

  it("keeps to its own properties: a variable may be called __proto__ or constructor", () => {
    const odd = JSON.parse('{"GREETING":"Hi","__proto__":"a","constructor":"b"}');
    expect(
      validateVariables(schema, odd)
        .map(({ variable }) => variable)
        .sort(),
    ).toEqual(["__proto__", "constructor"]);
    expect(validateVariables({ type: "object", required: ["toString"] }, {})).toHaveLength(1);
  });

  it("reports a rule about all variables together", () => {
    const either = { type: "object", anyOf: [{ required: ["A"] }, { required: ["B"] }] };
    expect(validateVariables(either, { A: "1" })).toEqual([]);
    expect(validateVariables(either, {}).map(({ rule }) => rule)).toEqual([
      "required",
      "required",
      "anyOf",
    ]);
  });
});

describe("checkSchema", () => {
  it("takes a sound schema, formats as annotations", () => {
    expect(() => checkSchema(schema)).not.toThrow();
    expect(() =>
      checkSchema({ type: "object", properties: { A: { type: "string", format: "uri" } } }),
    ).not.toThrow();
  });

  it.each([
    ["a misspelt keyword", { type: "object", propertys: {} }, /propertys/],
    ["a wrong type of keyword", { type: "object", required: "GREETING" }, /required/],
    ["a reference to elsewhere", { $ref: "https://example.com/schema.json" }, /example\.com/],
    ["another draft", { $schema: "http://json-schema.org/draft-07/schema#" }, /draft-07/],
    ["a default that is no text", { type: "object", properties: { A: { default: [1] } } }, /"A"/],
    [
      "a default nobody applies",
      { anyOf: [{ type: "object", properties: { A: { default: 1 } } }] },
      /default/,
    ],
    ["too much of it", { description: "x".repeat(300_000) }, /300\d+ bytes/],
  ])("refuses %s", (_, bad, message) => {
    expect(() => checkSchema(bad)).toThrow(
      expect.objectContaining({
        code: "ERR_CONFIG_SCHEMA",
        message: expect.stringMatching(message),
      }),
    );
    expect(() => checkSchema(bad)).toThrow(ConfigError);
  });
});
