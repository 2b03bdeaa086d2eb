import { access, readFile } from "node:fs/promises";
import { join } from "node:path";
import { capsuleSourceSchema } from "@roboticks/spec/capsule";
import { deploymentSourceSchema } from "@roboticks/spec/deployment";
import { parseDocumentText } from "@roboticks/spec/document";
import { environmentSchema } from "@roboticks/spec/environment";
import { expect, it } from "vitest";

const here = join(import.meta.dirname, "..");
const read = (file: string) => readFile(join(here, file), "utf8");

it("the documents are what their schemas want, and fit each other", async () => {
  const capsule = parseDocumentText(await read("capsule.json"), capsuleSourceSchema, {
    file: "capsule.json",
  });
  const deployment = parseDocumentText(await read("deployment.yaml"), deploymentSourceSchema, {
    file: "deployment.yaml",
  });
  const hello = deployment.capsules.hello;
  expect(hello?.capsule).toBe(`${capsule.name}@${capsule.version}`);
  expect(deployment.version).toBe(capsule.version);
  const environment = parseDocumentText(await read(hello?.environment ?? ""), environmentSchema, {
    file: "environment.yaml",
  });
  const schema = JSON.parse(await read(capsule.configuration?.schema ?? ""));
  const set = { ...capsule.processes.server?.environment, ...environment.variables };
  expect(Object.keys(set).sort()).toEqual(Object.keys(schema.properties).sort());
});

it("every time and threshold has a comment that says why", async () => {
  const lines = (await read("deployment.yaml")).split("\n");
  const settings = lines.filter((line) => /^\s+\w+: +\d/.test(line));
  expect(settings).toHaveLength(8);
  for (const line of settings) expect(line).toMatch(/ # \S+ \S+/);
});

it.each(["deployment.yaml", "environment.yaml"])(
  "%s names a schema that is there",
  async (file) => {
    const [, schema = ""] =
      /^# yaml-language-server: \$schema=(\S+)\n/.exec(await read(file)) ?? [];
    await access(join(here, schema));
  },
);
