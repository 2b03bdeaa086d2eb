import { stripVTControlCharacters, styleText } from "node:util";

/** How results are written. */
export type OutputFormat = "table" | "json";

/** Writes a result to standard output: what a script may read. */
export function print(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Writes progress and talk to standard error. */
export function say(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Writes `value` as JSON, or as `table` draws it. */
export function printResult(format: OutputFormat, value: unknown, table: () => string): void {
  print(format === "json" ? JSON.stringify(value, null, 2) : table());
}

/** Rows below a heading, columns as wide as they need; no trailing blanks. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = heading.map((title, column) =>
    Math.max(title.length, ...rows.map((row) => width(row[column] ?? ""))),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell + " ".repeat((widths[column] ?? 0) - width(cell)))
      .join("  ")
      .trimEnd();
  return [styleText("dim", line(heading)), ...rows.map(line)].join("\n");
}

/** Text from a device or file, with nothing in it that a terminal would act on. */
export function plain(text: string): string {
  // Escape sequences first, then what is left of control characters.
  return stripVTControlCharacters(text).replace(/\p{Cc}/gu, "�");
}

function width(cell: string): number {
  return stripVTControlCharacters(cell).length;
}
