import { RoboticksError, type RoboticksErrorOptions } from "@roboticks/core";
import type { Problem } from "@roboticks/spec/api";

/** Every code that a {@link ClientError} can have; the README says what to do about each. */
export const clientErrorCodes = [
  "ERR_CLIENT_UNREACHABLE",
  "ERR_CLIENT_TIMEOUT",
  "ERR_CLIENT_MALFORMED",
  "ERR_CLIENT_REFUSED",
] as const;

export type ClientErrorCode = (typeof clientErrorCodes)[number];

/** What a {@link ClientError} carries beside its message. */
export interface ClientErrorOptions extends RoboticksErrorOptions {
  readonly status?: number;
  readonly problem?: Problem;
  readonly retryAfterMs?: number;
}

/** The one error class of this package; branch on `code`, and on `problem.code` when refused. */
export class ClientError extends RoboticksError<ClientErrorCode> {
  override readonly name = "ClientError";
  /** HTTP status of the answer, where there was one. */
  readonly status: number | undefined;
  /** What the other side said, when it refused. */
  readonly problem: Problem | undefined;
  /** How long the other side asked to be left alone, in ms. */
  readonly retryAfterMs: number | undefined;

  constructor(
    code: ClientErrorCode,
    message: string,
    { status, problem, retryAfterMs, ...options }: ClientErrorOptions = {},
  ) {
    super(code, message, options);
    this.status = status;
    this.problem = problem;
    this.retryAfterMs = retryAfterMs;
  }

  /** Whether the same request may work later: no connection, no time, 429, or 500 and above. */
  get retryable(): boolean {
    if (this.code === "ERR_CLIENT_UNREACHABLE" || this.code === "ERR_CLIENT_TIMEOUT") return true;
    return this.status !== undefined && (this.status === 429 || this.status >= 500);
  }
}
