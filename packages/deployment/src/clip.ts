import type { Cause } from "@roboticks/spec/report";

/**
 * `text` with at most `most` characters, and nothing that JSON or a report cannot hold: a cut
 * may fall between the halves of a character, and a port may hand us anything.
 */
export function clip(text: string, most: number): string {
  return text.slice(0, most).toWellFormed();
}

/** A cause that fits a report. */
export function clipCause({ code, message, target, check, lastLines }: Cause): Cause {
  return {
    code: clip(code, 64),
    message: clip(message, 4_096),
    ...(target === undefined ? {} : { target: clip(target, 256) }),
    ...(check === undefined ? {} : { check: clip(check, 256) }),
    lastLines: lastLines.slice(-20).map((line) => clip(line, 2_048)),
  };
}
