import { createHash } from "node:crypto";
import { createReadStream, openAsBlob } from "node:fs";
import { stat } from "node:fs/promises";
import { readManifest } from "@roboticks/archive";
import { formatSize, toError } from "@roboticks/core";
import { digestOf } from "@roboticks/core/digest";
import { packCapsule } from "@roboticks/pack";
import { type ContextFlags, openSession } from "../context.ts";
import { CliError } from "../errors.ts";
import { parseManifest } from "../files.ts";
import { type OutputFormat, printResult, say, table } from "../output.ts";

/** `roboticks pack FOLDER` */
export async function pack(
  folder: string,
  { output, format }: { readonly output?: string; readonly format: OutputFormat },
): Promise<void> {
  const packed = await packCapsule({ folder, ...(output ? { output } : {}) });
  const { path, digest, manifest, archive } = packed;
  const { name, version, files } = manifest;
  printResult(format, { path, name, version, digest, archive }, () =>
    [
      `packed       ${name}@${version}, ${files.length} files`,
      `archive      ${path} (${formatSize(archive.size)})`,
      `digest       ${digest}`,
    ].join("\n"),
  );
}

/** `roboticks push FILE` */
export async function push(
  file: string,
  { format, ...flags }: ContextFlags & { readonly format: OutputFormat },
): Promise<void> {
  const { client } = await openSession(flags);
  const size = await sizeOf(file);
  const manifestBytes = await readManifest(createReadStream(file));
  const digest = digestOf(manifestBytes);
  const { name, version } = parseManifest(manifestBytes, `${file}: capsule.json`);
  const [known] = await client.findCapsules({ name, version });
  const there = known?.digest === digest && known.size !== undefined;
  if (!there) {
    say(`pushing ${name}@${version} (${formatSize(size)}) …`);
    await client.putManifest(digest, Uint8Array.from(manifestBytes));
    const hash = createHash("sha256");
    for await (const chunk of createReadStream(file)) hash.update(chunk);
    await client.putArchive(digest, {
      body: await openAsBlob(file),
      size,
      sha256: hash.digest("hex"),
    });
  }
  printResult(format, { name, version, digest, size, pushed: !there }, () =>
    [
      `${there ? "there before" : "pushed      "} ${name}@${version} (${formatSize(size)})`,
      `digest       ${digest}`,
    ].join("\n"),
  );
}

/** `roboticks capsule list` */
export async function listCapsules({
  format,
  ...flags
}: ContextFlags & { readonly format: OutputFormat }): Promise<void> {
  const { client } = await openSession(flags);
  const capsules = await client.findCapsules();
  printResult(format, capsules, () =>
    table(
      ["CAPSULE", "VERSION", "SIZE", "DIGEST"],
      capsules.map(({ name, version, size, digest }) => [
        name,
        version,
        size === undefined ? "(no archive)" : formatSize(size),
        digest.slice(0, 19),
      ]),
    ),
  );
}

async function sizeOf(file: string): Promise<number> {
  try {
    return (await stat(file)).size;
  } catch (cause) {
    throw new CliError("ERR_CLI_FILE", `cannot read ${file}: ${toError(cause).message}`, { cause });
  }
}
