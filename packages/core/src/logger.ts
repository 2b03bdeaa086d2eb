/**
 * Where a package says what it does: structured fields first, then a sentence. pino meets it
 * by shape. Secrets never reach it: whoever logs leaves them out.
 */
export interface Logger {
  debug(fields: object, message?: string): void;
  info(fields: object, message?: string): void;
  warn(fields: object, message?: string): void;
  error(fields: object, message?: string): void;
}

const nothing = (): void => {};

/** The default everywhere: a library that was not given a logger says nothing. */
export const silentLogger: Logger = {
  debug: nothing,
  info: nothing,
  warn: nothing,
  error: nothing,
};
