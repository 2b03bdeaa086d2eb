import { RoboticksError, type RoboticksErrorOptions } from "@roboticks/core";

/** Every code that a {@link SpecError} can have; the README says what to do about each. */
export const specErrorCodes = [
  "ERR_SPEC_SYNTAX",
  "ERR_SPEC_TOO_LARGE",
  "ERR_SPEC_UNKNOWN_KEY",
  "ERR_SPEC_MISSING_KEY",
  "ERR_SPEC_INVALID",
  "ERR_SPEC_UNSUPPORTED",
  "ERR_SPEC_DSN",
] as const;

export type SpecErrorCode = (typeof specErrorCodes)[number];

/** One thing that is wrong in a document, and where. */
export interface Problem {
  readonly code: SpecErrorCode;
  readonly message: string;
  /** Keys from the document's root to the place. */
  readonly path: readonly (string | number)[];
  /** 1-based, where the document was text. */
  readonly line?: number;
  readonly column?: number;
}

/**
 * A document that cannot be used. `problems` holds all that is wrong with it, `code` is that of
 * the first, and `message` has a line for each.
 */
export class SpecError extends RoboticksError<SpecErrorCode> {
  override readonly name = "SpecError";
  readonly problems: readonly Problem[];

  constructor(
    code: SpecErrorCode,
    message: string,
    { problems = [], ...options }: RoboticksErrorOptions & { problems?: readonly Problem[] } = {},
  ) {
    super(code, message, options);
    this.problems = problems;
  }
}
