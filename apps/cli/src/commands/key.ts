import { generateKeyPair, writeKeyFile } from "@roboticks/trust";
import { type OutputFormat, printResult } from "../output.ts";

/** `roboticks key create FILE`: a new Ed25519 key, in a file of mode 0600. */
export async function createKey(
  file: string,
  { format }: { readonly format: OutputFormat },
): Promise<void> {
  const key = generateKeyPair();
  await writeKeyFile(file, key);
  printResult(format, { file, keyId: key.keyId, publicKey: key.publicKey }, () =>
    [`key       ${key.keyId}`, `file      ${file} (0600; keep it offline or in a vault)`].join(
      "\n",
    ),
  );
}
