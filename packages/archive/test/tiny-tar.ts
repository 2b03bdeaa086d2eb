import { gzipSync, zstdCompressSync } from "node:zlib";
import { digestOf } from "@roboticks/core/digest";
import type { TableEntry } from "../src/index.ts";

/** Fields of a header block that a hostile tar gets wrong on purpose. */
export interface Header {
  readonly name: string | Buffer;
  readonly type?: string;
  readonly size?: number;
  /** Written over the size field as it is. */
  readonly rawSize?: Buffer;
  readonly mode?: number;
  readonly link?: string;
  readonly magic?: string;
  readonly prefix?: string;
  readonly checksum?: number;
}

/** A header block, with a right checksum unless it is given one. */
export function header({
  name,
  type = "0",
  size = 0,
  rawSize,
  mode = 0o644,
  link = "",
  magic = "ustar\x0000",
  prefix = "",
  checksum,
}: Header): Buffer {
  const block = Buffer.alloc(512);
  Buffer.from(name).copy(block, 0, 0, 100);
  block.write(`${mode.toString(8).padStart(7, "0")}\0`, 100);
  block.write("0000000\x000000000\0", 108);
  block.write(`${size.toString(8).padStart(11, "0")}\0`, 124);
  rawSize?.copy(block, 124);
  block.write("00000000000\0", 136);
  block.write("        ", 148);
  block.write(type, 156, "latin1");
  block.write(link, 157);
  block.write(magic, 257, "latin1");
  block.write(prefix, 345);
  const sum = checksum ?? block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return block;
}

/** `content` and the zeros up to the next block. */
export function body(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

export function file(name: string, content: string | Buffer, more: Partial<Header> = {}): Buffer {
  const size = Buffer.byteLength(content);
  return Buffer.concat([header({ name, size, ...more }), body(content)]);
}

export function link(name: string, target: string): Buffer {
  return header({ name, type: "2", link: target, mode: 0o777 });
}

/** A pax header with these records. */
export function pax(records: Readonly<Record<string, string>> | string, type = "x"): Buffer {
  const text =
    typeof records === "string" ? records : Object.entries(records).map(paxRecord).join("");
  return file("PaxHeader/x", text, { type });
}

export function paxRecord([key, value]: readonly [string, string]): string {
  const rest = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(rest);
  while (length !== Buffer.byteLength(rest) + String(length).length) {
    length = Buffer.byteLength(rest) + String(length).length;
  }
  return `${length}${rest}`;
}

/** A GNU long name (`L`) or long link (`K`). */
export function gnuLong(type: "L" | "K", value: string): Buffer {
  return file("././@LongLink", `${value}\0`, { type, magic: "ustar  \0" });
}

export const end = Buffer.alloc(1024);

/** What a test's archive holds, by path: text is a file, `{ link }` a link. */
export type Contents = Readonly<Record<string, string | Buffer | { readonly link: string }>>;

/** The table of `contents`. Files whose path begins with `bin/` are programs. */
export function tableOf(contents: Contents): TableEntry[] {
  return Object.entries(contents).map(([path, content]) => {
    if (typeof content === "object" && "link" in content) return { path, link: content.link };
    const mode = path.startsWith("bin/") ? "0755" : "0644";
    return { path, mode, size: Buffer.byteLength(content), digest: digestOf(content) };
  });
}

/** The tar entries of `contents`, without manifest and end. */
export function entriesOf(contents: Contents): Buffer[] {
  return Object.entries(contents).map(([path, content]) => {
    if (typeof content === "object" && "link" in content) return link(path, content.link);
    return file(path, content, { mode: path.startsWith("bin/") ? 0o755 : 0o644 });
  });
}

/** A manifest of nothing but the table; `accept` of the tests reads it back. */
export function manifestOf(table: readonly TableEntry[]): string {
  return JSON.stringify({ files: table });
}

export function readTable(manifest: Uint8Array): TableEntry[] {
  return JSON.parse(Buffer.from(manifest).toString()).files;
}

export type Compression = "gzip" | "zstd";

/** `frames`, each compressed by itself. */
export function compress(compression: Compression, frames: readonly Buffer[]): Buffer[] {
  return frames.map((frame) =>
    compression === "gzip" ? gzipSync(frame) : zstdCompressSync(frame),
  );
}

/** An archive as compressed frames: the manifest's, one per entry, one for the end. */
export function frames(
  table: readonly TableEntry[],
  entries: readonly Buffer[],
  { compression = "zstd", tail = end }: { compression?: Compression; tail?: Buffer } = {},
): Buffer[] {
  return compress(compression, [file("capsule.json", manifestOf(table)), ...entries, tail]);
}

/** `bytes` as a stream in pieces of `size`. */
export async function* pieces(bytes: Buffer, size = 65_536): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
