import { chmod, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it } from "vitest";
import { missingPackages } from "../programs.mjs";

it("names the packages of the programs that cannot be run", async () => {
  const folder = await mkdtemp(join(tmpdir(), "programs-"));
  await writeFile(join(folder, "zstd"), "");
  await writeFile(join(folder, "ps"), "");
  await chmod(join(folder, "ps"), 0o755);
  const programs = { zstd: "zstd", ps: "procps", nothing: "no-such-package" };
  expect(missingPackages(`/nowhere:${folder}`, programs)).toEqual(["zstd", "no-such-package"]);
  await rm(folder, { recursive: true });
});
