import { gzipSync } from "node:zlib";
import { type Digest, digestOf } from "@roboticks/core/digest";

/** A capsule for tests, made here so that it can also be wrong. */
export interface TestCapsule {
  readonly manifest: Record<string, unknown>;
  readonly digest: Digest;
  readonly archive: Buffer;
}

/** What {@link testCapsule} makes; a file whose content begins with `#!` is executable. */
export interface TestCapsuleOptions {
  readonly name?: string;
  readonly version?: string;
  readonly files?: Readonly<Record<string, string | Buffer>>;
  readonly processes?: Readonly<Record<string, unknown>>;
  /** Over the manifest, however wrong. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  /** What the tar holds instead of `files`. */
  readonly tarFiles?: Readonly<Record<string, string | Buffer>>;
}

export const forever = "#!/bin/sh\nexec sleep 60\n";

export function testCapsule({
  name = "hello",
  version = "1.0.0",
  files = { "bin/main": forever, "etc/map.txt": "floor 2" },
  processes = { main: { command: "bin/main" } },
  manifest: more = {},
  tarFiles = files,
}: TestCapsuleOptions = {}): TestCapsule {
  const manifest = {
    apiVersion: "roboticks/v1",
    kind: "Capsule",
    name,
    version,
    processes,
    files: Object.entries(files).map(([path, content]) => ({
      path,
      mode: modeOf(content),
      size: Buffer.byteLength(content),
      digest: digestOf(content),
    })),
    ...more,
  };
  const bytes = Buffer.from(JSON.stringify(manifest));
  const entries: [string, string | Buffer][] = [
    ["capsule.json", bytes],
    ...Object.entries(tarFiles),
  ];
  const tar = Buffer.concat([
    ...entries.flatMap(([path, content]) => tarEntry(path, content)),
    Buffer.alloc(1024),
  ]);
  return { manifest, digest: digestOf(bytes), archive: gzipSync(tar) };
}

function modeOf(content: string | Buffer): string {
  return content.toString().startsWith("#!") ? "0755" : "0644";
}

/** A ustar header (POSIX.1-2001, pax) and the content in whole blocks. */
function tarEntry(path: string, content: string | Buffer): Buffer[] {
  const bytes = Buffer.from(content);
  const header = Buffer.alloc(512);
  header.write(path, 0);
  header.write(modeOf(content).padStart(7, "0"), 100);
  header.write("0000000", 108);
  header.write("0000000", 116);
  header.write(bytes.length.toString(8).padStart(11, "0"), 124);
  header.write("00000000000", 136);
  header.write("        ", 148);
  header.write("0", 156);
  header.write("ustar\u000000", 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return [header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
}
