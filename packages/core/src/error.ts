/** What an error carries beside its message. */
export interface RoboticksErrorOptions {
  /** What brought it about; always kept, so that the first failure can be read. */
  readonly cause?: unknown;
}

/**
 * The base of every package's one error class. Consumers branch on `code`, which is stable;
 * `message` says what happened, to what, and what to do, and may change.
 */
export class RoboticksError<Code extends string = string> extends Error {
  override readonly name: string = "RoboticksError";

  readonly code: Code;

  constructor(code: Code, message: string, options: RoboticksErrorOptions = {}) {
    super(message, options);
    this.code = code;
  }
}

/** Anything that was thrown, as an `Error`; what was no error becomes one with it as `cause`. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown), { cause: thrown });
}
