import { problemSchema } from "@roboticks/spec/api";
import { ClientError } from "./errors.ts";

/** What a schema of `@roboticks/spec` is to this package. */
export interface Schema<T> {
  safeParse(
    value: unknown,
  ):
    | { readonly success: true; readonly data: T }
    | { readonly success: false; readonly error: { readonly message: string } };
}

/** An answer that was read to its end. */
export interface Answer {
  readonly status: number;
  readonly header: (name: string) => string | null;
  readonly body: Uint8Array;
}

/**
 * Reads the body of `response`, `maxBytes` at the most.
 *
 * @throws {ClientError} `ERR_CLIENT_MALFORMED` when it is longer
 * @throws what the transport threw, when the connection broke
 */
export async function readBody(
  response: Response,
  maxBytes: number,
  what: string,
): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  const reader = response.body?.getReader();
  for (;;) {
    const next = await reader?.read();
    if (!next || next.done) break;
    size += next.value.byteLength;
    if (size > maxBytes) {
      await reader?.cancel().catch(() => {}); // the answer is refused whatever becomes of the rest
      throw new ClientError(
        "ERR_CLIENT_MALFORMED",
        `${what} was answered with more than ${maxBytes} bytes; is that the platform?`,
        { status: response.status },
      );
    }
    chunks.push(next.value);
  }
  const body = new Uint8Array(size);
  let offset = 0;
  for (const chunk of chunks) {
    body.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return body;
}

/**
 * The value that `answer` holds.
 *
 * @throws {ClientError} `ERR_CLIENT_MALFORMED` when it is not what `schema` says
 */
export function parseAnswer<T>(answer: Answer, schema: Schema<T>, what: string): T {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(answer.body));
  } catch (cause) {
    throw malformed(answer, what, "that is no JSON", cause);
  }
  try {
    const checked = schema.safeParse(value);
    if (checked.success) return checked.data;
    throw malformed(answer, what, `that does not fit: ${checked.error.message.slice(0, 500)}`);
  } catch (cause) {
    if (cause instanceof ClientError) throw cause;
    throw malformed(answer, what, "that cannot be checked", cause); // nested beyond the stack
  }
}

/** The error for an answer of 400 and above. */
export function refusal(answer: Answer, what: string, now: number): ClientError {
  const retryAfterMs = parseRetryAfter(answer.header("retry-after"), now);
  const options = {
    status: answer.status,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  };
  try {
    const problem = parseAnswer(answer, problemSchema, what);
    return new ClientError(
      "ERR_CLIENT_REFUSED",
      `${what} was refused (${answer.status}): ${problem.message} [${problem.code}]`,
      { ...options, problem },
    );
  } catch (cause) {
    // A proxy in between speaks its own language; its status still says whether to come back.
    return new ClientError("ERR_CLIENT_MALFORMED", (cause as Error).message, { ...options, cause });
  }
}

/** The error for an answer that is none of the API's. */
export function malformed(answer: Answer, what: string, why: string, cause?: unknown): ClientError {
  const type = answer.header("content-type") ?? "no content type";
  const begin = new TextDecoder().decode(answer.body.subarray(0, 320)).slice(0, 80);
  return new ClientError(
    "ERR_CLIENT_MALFORMED",
    `${what} was answered with ${answer.status}, ${type}, and ${why}; ` +
      `is something in between? It begins: ${JSON.stringify(begin)}`,
    { status: answer.status, cause },
  );
}

/** `Retry-After` in ms: seconds, or a date. */
function parseRetryAfter(header: string | null, now: number): number | undefined {
  if (header === null) return undefined;
  if (/^\d{1,8}$/.test(header)) return Number(header) * 1_000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
