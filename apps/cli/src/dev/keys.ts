import { existsSync } from "node:fs";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "@roboticks/core/fs";
import {
  canonicalJson,
  createRoot,
  documentDigest,
  formatExpiry,
  generateKeyPair,
  type KeyPair,
  parseStrictJson,
  readKeyFile,
  writeKeyFile,
} from "@roboticks/trust";

const yearMs = 365 * 86_400_000;

/** The keys of a development fleet: made once, on this machine, for nothing else. */
export interface DevKeys {
  readonly rootFile: string;
  readonly rootDigest: `sha256:${string}`;
  readonly operatorKeyFile: string;
}

/** Makes what is missing of the keys in `folder`. */
export async function ensureKeys(folder: string): Promise<DevKeys> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const rootFile = join(folder, "root.json");
  const operatorKeyFile = join(folder, "operator.key");
  const rootKey = await ensureKey(join(folder, "root.key"));
  const operator = await ensureKey(operatorKeyFile);
  if (!existsSync(rootFile)) {
    const root = createRoot({
      rootKeys: [rootKey],
      assignmentKeys: [operator.publicKey],
      expires: formatExpiry(Date.now() + yearMs),
    });
    await writeFileAtomic(rootFile, canonicalJson(JSON.parse(JSON.stringify(root))));
  }
  const rootDigest = documentDigest(parseStrictJson(await readFile(rootFile)));
  return { rootFile, rootDigest, operatorKeyFile };
}

async function ensureKey(file: string): Promise<KeyPair> {
  if (!existsSync(file)) await writeKeyFile(file, generateKeyPair());
  return readKeyFile(file);
}
