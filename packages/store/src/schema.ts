import { StoreError } from "./errors.ts";

/**
 * A schema of any library that speaks Standard Schema v1 (standardschema.dev): zod, valibot,
 * ArkType, or a few lines of one's own. Declared here as a type, so that the store depends on
 * none of them.
 */
export interface StandardSchema<Input = unknown, Output = Input> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  };
}

/** What a schema says of a value: the value it makes of it, or what is wrong. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

/** One thing that is wrong with a value, and where in it. */
export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** How many issues a message names; the rest are counted. */
const namedIssues = 3;

/**
 * What `schema` makes of `value`.
 *
 * @param what names the value in the error's message
 * @throws {StoreError} `ERR_STORE_INVALID` where it does not fit, or the schema itself throws
 */
export async function conform<T>(
  schema: StandardSchema<unknown, T>,
  value: unknown,
  what: string,
): Promise<T> {
  let result: SchemaResult<T>;
  try {
    result = await schema["~standard"].validate(value);
  } catch (cause) {
    throw new StoreError("ERR_STORE_INVALID", `the schema of ${what} threw; mend the schema`, {
      cause,
    });
  }
  if (!result.issues) return result.value;
  const named = result.issues.slice(0, namedIssues).map(describeIssue);
  const rest = result.issues.length - named.length;
  if (rest > 0) named.push(`and ${rest} more`);
  throw new StoreError("ERR_STORE_INVALID", `${what} does not fit its schema: ${named.join("; ")}`);
}

function describeIssue({ message, path = [] }: SchemaIssue): string {
  const keys = path.map((part) => String(typeof part === "object" ? part.key : part));
  return keys.length > 0 ? `${keys.join(".")}: ${message}` : message;
}
