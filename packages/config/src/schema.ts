import { toError } from "@roboticks/core";
import { Ajv2020, type ValidateFunction } from "ajv/dist/2020.js";
import { ConfigError } from "./errors.ts";
import { namesOf } from "./names.ts";

/** A JSON Schema (2020-12) of an object whose properties are environment variables. */
export type VariablesSchema = Readonly<Record<string, unknown>>;

/** A schema that can be used, and what it says about the variables by name. */
export interface CompiledSchema {
  /** Checks, turns text into the types of the schema, and adds defaults, all in place. */
  readonly validate: ValidateFunction;
  /** What the schema gives to variables that nobody sets. */
  readonly defaults: Readonly<Record<string, string>>;
  /** The variables that it names. */
  readonly known: readonly string[];
  /** Those whose value must not be shown: `writeOnly: true`. */
  readonly hidden: ReadonlySet<string>;
}

/** A larger schema is refused: it is compiled on a robot, and one of variables is small. */
const maxSchemaBytes = 256 * 1024;

/**
 * Makes `schema` ready to check variables. Formats are annotations, as the standard has it;
 * nothing is fetched, so a `$ref` has to point into the schema itself.
 *
 * @throws {ConfigError} `ERR_CONFIG_SCHEMA`
 */
export function compileSchema(schema: VariablesSchema): CompiledSchema {
  const bytes = Buffer.byteLength(JSON.stringify(schema));
  if (bytes > maxSchemaBytes) {
    throw refused(`it has ${bytes} bytes, at most ${maxSchemaBytes} are taken; shorten it`);
  }
  let validate: ValidateFunction;
  try {
    validate = new Ajv2020({
      strict: true,
      allowUnionTypes: true,
      // `anyOf: [{ required: ["A"] }, { required: ["B"] }]` is a common and sound thing to say.
      strictRequired: false,
      allErrors: true,
      coerceTypes: true,
      useDefaults: true,
      validateFormats: false,
      ownProperties: true,
      logger: false,
    }).compile(schema);
  } catch (cause) {
    throw refused(toError(cause).message, cause);
  }
  return { validate, defaults: defaultsOf(validate), ...namesOf(schema) };
}

/**
 * Whether `schema` can be used, for whoever packs or signs it.
 *
 * @throws {ConfigError} `ERR_CONFIG_SCHEMA`
 */
export function checkSchema(schema: VariablesSchema): void {
  compileSchema(schema);
}

/** The defaults as text: what the validator adds where nothing is given. */
function defaultsOf(validate: ValidateFunction): Readonly<Record<string, string>> {
  const filled: Record<string, unknown> = {};
  validate(filled);
  return Object.fromEntries(
    Object.entries(filled).map(([name, value]) => {
      if (typeof value === "object") {
        throw refused(`the default of "${name}" is not text, a number or a boolean; write it so`);
      }
      return [name, String(value)];
    }),
  );
}

function refused(why: string, cause?: unknown): ConfigError {
  return new ConfigError(
    "ERR_CONFIG_SCHEMA",
    `the JSON Schema of the variables cannot be used: ${why}`,
    { cause },
  );
}
