import type { FileHandle } from "node:fs/promises";
import { mkdir, open, rename, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";

/** A log longer than this is put aside when the program is started, in bytes. */
const rotateAt = 10_000_000;
/** How much of a log's end is looked at, in bytes. */
const tailBytes = 64_000;
/** Longer lines are cut, in characters. */
const lineLength = 2_000;

/**
 * Opens a log for appending (created with its folder where missing); one that has grown past
 * 10 MB becomes `previous.log` beside it first.
 */
export async function openLog(path: string): Promise<FileHandle> {
  await mkdir(dirname(path), { recursive: true });
  const size = await logSize(path);
  if (size > rotateAt) await rename(path, join(dirname(path), "previous.log"));
  return open(path, "a", 0o640);
}

/** The bytes of a log; 0 when there is none yet. What is written from then on begins there. */
export function logSize(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0, // there is none yet
  );
}

/**
 * The last `count` lines of a file, of its last 64 kB at most; none when there is no file. With
 * `since`, nothing of what stood there before: unless the file is shorter, because it is new.
 */
export async function tail(
  path: string,
  count: number,
  { since = 0 }: { readonly since?: number } = {},
): Promise<readonly string[]> {
  const file = await open(path, "r").catch(() => undefined); // nothing was ever written
  if (!file) return [];
  try {
    const { size } = await file.stat();
    const begin = since <= size ? since : 0;
    const from = Math.max(begin, size - tailBytes);
    const { buffer, bytesRead } = await file.read({
      buffer: Buffer.alloc(size - from),
      position: from,
    });
    const lines = buffer.toString("utf8", 0, bytesRead).split("\n");
    if (lines.at(-1) === "") lines.pop();
    // The first line of a part of a file is itself only a part.
    if (from > begin && lines.length > 1) lines.shift();
    return lines.slice(Math.max(0, lines.length - count)).map(plainLine);
  } finally {
    await file.close();
  }
}

/**
 * A line that can be shown and sent anywhere: decoding has replaced what is no UTF-8, escape
 * sequences are dropped, and control characters replaced, since programs write what they like.
 */
export function plainLine(line: string): string {
  const plain = stripVTControlCharacters(line.replace(/\r$/, "")).replaceAll(
    /[^\P{Cc}\t]/gu,
    "\u{fffd}",
  );
  return plain.length > lineLength ? `${plain.slice(0, lineLength - 1).toWellFormed()}…` : plain;
}
