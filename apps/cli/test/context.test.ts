import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generateKeyPair, writeKeyFile } from "@roboticks/trust";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { openSession } from "../src/context.ts";

let folder: string;
let context: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "context-"));
  context = join(folder, "context.yaml");
  await writeFile(
    context,
    `apiVersion: roboticks/v1
kind: Context
server: https://file.example.com
project: from-file
keyFile: keys/operator.key
`,
  );
});
afterEach(() => rm(folder, { recursive: true }));

describe("openSession", () => {
  it("takes the context file where nothing else is said; its paths are relative to it", async () => {
    const key = generateKeyPair();
    await mkdir(join(folder, "keys"));
    await writeKeyFile(join(folder, "keys", "operator.key"), key);
    const session = await openSession({}, { ROBOTICKS_CONTEXT: context });
    expect(session.client.endpoint).toBe("https://file.example.com");
    expect(session.project).toBe("from-file");
    expect((await session.signingKey()).keyId).toBe(key.keyId);
  });

  it("takes a flag before the environment before the file, each part by itself", async () => {
    const env = { ROBOTICKS_CONTEXT: context, ROBOTICKS_SERVER: "https://env.example.com" };
    const session = await openSession({ project: "from-flag" }, env);
    expect(session.client.endpoint).toBe("https://env.example.com");
    expect(session.project).toBe("from-flag");
    const flagged = await openSession({ server: "https://flag.example.com" }, env);
    expect(flagged.client.endpoint).toBe("https://flag.example.com");
    expect(flagged.project).toBe("from-file");
  });

  it("needs no key until one is asked for", async () => {
    const session = await openSession({}, { ROBOTICKS_CONTEXT: context });
    await expect(session.signingKey()).rejects.toMatchObject({ code: "ERR_TRUST_IO" });
    const named = await openSession({ key: join(folder, "none") }, { ROBOTICKS_CONTEXT: context });
    await expect(named.signingKey()).rejects.toMatchObject({ code: "ERR_TRUST_IO" });
  });

  it("says which context file is not there, or not right", async () => {
    const missing = openSession({}, { ROBOTICKS_CONTEXT: join(folder, "none.yaml") });
    await expect(missing).rejects.toMatchObject({ code: "ERR_CLI_FILE" });
    await writeFile(context, "apiVersion: roboticks/v1\nkind: Context\nserver: nowhere\n");
    await expect(openSession({}, { ROBOTICKS_CONTEXT: context })).rejects.toMatchObject({
      code: "ERR_SPEC_INVALID",
      message: expect.stringContaining("context.yaml:3:9"),
    });
  });
});
