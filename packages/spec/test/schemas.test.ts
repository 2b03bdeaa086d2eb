import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import type * as z from "zod";
import { editorSchemas } from "../scripts/editor-schemas.ts";
import { agentSettingsSchema } from "../src/agent.ts";
import { capsuleSourceSchema } from "../src/capsule.ts";
import { deploymentSourceSchema } from "../src/deployment.ts";
import { environmentSchema } from "../src/environment.ts";
import { agent, capsule, deployment, environment } from "./samples.ts";

const folder = join(import.meta.dirname, "..", "schemas");

describe("the schemas for editors", () => {
  it("are the ones that `npm run schemas` would write now", () => {
    const written = readdirSync(folder).map((name) => [
      name,
      readFileSync(join(folder, name), "utf8"),
    ]);
    expect(Object.fromEntries(written)).toEqual(Object.fromEntries(editorSchemas()));
  });

  const kinds = {
    agent: { sample: agent, schema: agentSettingsSchema },
    capsule: { sample: capsule, schema: capsuleSourceSchema },
    deployment: { sample: deployment, schema: deploymentSourceSchema },
    environment: { sample: environment, schema: environmentSchema },
  } satisfies Record<string, { sample: string; schema: z.ZodType }>;
  type Kind = keyof typeof kinds;

  const ajv = new Ajv2020({ strict: true, strictRequired: false, allowUnionTypes: true });
  const judges = Object.fromEntries(
    [...editorSchemas()].map(([name, text]) => [name.split(".")[0], ajv.compile(JSON.parse(text))]),
  );

  /** What reader and editor say of the sample after `change`. */
  function verdicts(kind: Kind, change: (document: Record<string, unknown>) => void) {
    const document = parse(kinds[kind].sample);
    change(document);
    return {
      reader: kinds[kind].schema.safeParse(document).success,
      editor: judges[kind]?.(document),
    };
  }

  it.each(Object.keys(kinds) as Kind[])("take the %s that the reader takes", (kind) => {
    expect(verdicts(kind, () => {})).toEqual({ reader: true, editor: true });
  });

  it.each<[Kind, string, (document: Record<string, unknown>) => void]>([
    ["deployment", "an unknown key", (d) => Object.assign(d, { heatlh: [] })],
    ["deployment", "no capsule", (d) => Object.assign(d, { capsules: {} })],
    ["deployment", "a key that is not supported", (d) => Object.assign(d, { compositions: {} })],
    ["deployment", "a bad name", (d) => Object.assign(d, { name: "Robot" })],
    ["deployment", "a bad version", (d) => Object.assign(d, { version: "1.4" })],
    [
      "deployment",
      "a capsule without version",
      (d) => Object.assign(d, { capsules: { n: { capsule: "n" } } }),
    ],
    ["deployment", "a bad duration", (d) => Object.assign(d, { activation: { probation: "5 m" } })],
    [
      "deployment",
      "an empty check",
      (d) => Object.assign(d, { capsules: { n: { capsule: "n@1.0.0", health: [{}] } } }),
    ],
    [
      "deployment",
      "a check of two kinds",
      (d) =>
        Object.assign(d, {
          capsules: { n: { capsule: "n@1.0.0", health: [{ process: {}, tcp: { port: 1 } }] } },
        }),
    ],
    ["capsule", "no process", (d) => Object.assign(d, { processes: {} })],
    ["capsule", "a table of files", (d) => Object.assign(d, { files: [] })],
    [
      "capsule",
      "an unknown platform",
      (d) => Object.assign(d, { platforms: [{ os: "plan9", arch: "x64" }] }),
    ],
    ["environment", "a list for a value", (d) => Object.assign(d, { variables: { A: [] } })],
    ["environment", "a NUL", (d) => Object.assign(d, { variables: { A: "\0" } })],
    ["environment", "a bad name", (d) => Object.assign(d, { variables: { "1A": "" } })],
    ["agent", "another kind", (d) => Object.assign(d, { kind: "Agent" })],
    ["agent", "a number for an override", (d) => Object.assign(d, { overrides: { n: { A: 1 } } })],
    ["agent", "no name", (d) => delete d.name],
  ])("refuse, as the reader does, a %s with %s", (kind, _, change) => {
    expect(verdicts(kind, change)).toEqual({ reader: false, editor: false });
  });

  it.each<[string, boolean]>([
    ["500ms", true],
    ["1h30m", true],
    ["1.5s", true],
    ["1.5m", false],
    ["", false],
    ["1m1h", false],
    ["10", false],
  ])("judge the duration %j as the reader does", (text, good) => {
    const change = (d: Record<string, unknown>) =>
      Object.assign(d, { activation: { probation: text } });
    expect(verdicts("deployment", change)).toEqual({ reader: good, editor: good });
  });
});
