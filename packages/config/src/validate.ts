import { nearest } from "@roboticks/core";
import type { ErrorObject } from "ajv/dist/2020.js";
import { type CompiledSchema, compileSchema, type VariablesSchema } from "./schema.ts";

/** Environment variables by name. */
export type Variables = Readonly<Record<string, string>>;

/** One thing that is wrong with variables. */
export interface Problem {
  /** The variable; empty where a rule is about all of them together. */
  readonly variable: string;
  /** What it is set to. Left out when it is not set, or when the schema says `writeOnly`. */
  readonly value?: string;
  /** The keyword of JSON Schema that does not hold: `minimum`, `required`, … */
  readonly rule: string;
  /** A sentence that says all of this. */
  readonly message: string;
  /** The name that was probably meant. */
  readonly nearest?: string;
}

/**
 * What is wrong with `variables` by `schema`; nothing, when the list is empty. Text counts as
 * the number or boolean that stands there.
 *
 * @throws {ConfigError} `ERR_CONFIG_SCHEMA` when the schema itself cannot be used
 */
export function validateVariables(schema: VariablesSchema, variables: Variables): Problem[] {
  return problemsOf(compileSchema(schema), variables);
}

/** {@link validateVariables} with a schema that was made ready before. */
export function problemsOf(schema: CompiledSchema, variables: Variables): Problem[] {
  const { validate } = schema;
  if (validate({ ...variables })) return [];
  return (validate.errors ?? []).map((error) => problemOf(error, schema, variables));
}

function problemOf(error: ErrorObject, schema: CompiledSchema, variables: Variables): Problem {
  const rule = error.keyword;
  const given = Object.keys(variables);
  if (rule === "required" || rule === "dependentRequired") {
    const variable = String(error.params.missingProperty);
    const unknown = given.filter((name) => !schema.known.includes(name));
    const near = nearest(variable, unknown);
    const hint = near ? `; "${near}" is set, was it meant?` : "";
    return {
      variable,
      rule,
      ...(near && { nearest: near }),
      message: `${variable} is not set${hint}`,
    };
  }
  if (rule === "additionalProperties" || rule === "unevaluatedProperties") {
    const variable = String(error.params.additionalProperty ?? error.params.unevaluatedProperty);
    const near = nearest(variable, schema.known);
    const hint = near
      ? `did you mean "${near}"?`
      : `known are ${schema.known.join(", ") || "none"}`;
    return {
      variable,
      ...shownValue(variable, schema, variables),
      rule,
      ...(near && { nearest: near }),
      message: `${variable} is unknown; ${hint}`,
    };
  }
  const variable = variableOf(error.instancePath);
  const value = shownValue(variable, schema, variables);
  const is = value.value === undefined ? "" : ` is ${JSON.stringify(value.value)} and`;
  const message = variable
    ? `${variable}${is} ${must(error, schema.hidden.has(variable))}`
    : `the variables ${must(error, schema.hidden.size > 0)}`;
  return { variable, ...value, rule, message };
}

/** What the rule asks for. A hidden value's `const` or `enum` would give it away. */
function must({ keyword, message, params }: ErrorObject, hidden: boolean): string {
  if (keyword === "enum" && !hidden) {
    return `must be one of ${params.allowedValues.map((value: unknown) => JSON.stringify(value)).join(", ")}`;
  }
  if (keyword === "const" && !hidden) return `must be ${JSON.stringify(params.allowedValue)}`;
  return message ?? `breaks the rule "${keyword}"`;
}

/** The longest part of a value that a message repeats. */
const longestValue = 200;

function shownValue(
  variable: string,
  schema: CompiledSchema,
  variables: Variables,
): { readonly value?: string } {
  const value = Object.hasOwn(variables, variable) ? variables[variable] : undefined;
  if (value === undefined || schema.hidden.has(variable)) return {};
  return { value: value.length > longestValue ? `${value.slice(0, longestValue)}…` : value };
}

/** The first part of a JSON Pointer (RFC 6901). */
function variableOf(pointer: string): string {
  return (pointer.split("/")[1] ?? "").replaceAll("~1", "/").replaceAll("~0", "~");
}
