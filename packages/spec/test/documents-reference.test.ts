import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type * as z from "zod";
import { agentSettingsSchema } from "../src/agent.ts";
import { capsuleSourceSchema } from "../src/capsule.ts";
import { deploymentSourceSchema } from "../src/deployment.ts";
import { parseDocumentText } from "../src/document.ts";
import { environmentSchema } from "../src/environment.ts";

const packageFolder = join(import.meta.dirname, "..");
const page = readFileSync(join(packageFolder, "..", "..", "docs", "documents.md"), "utf8");

/** The part of JSON Schema that the walk looks at. */
interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly default?: unknown;
}

interface Key {
  /** From the top, with NAME for what a person names: `processes.NAME.command`. */
  readonly path: string;
  readonly required: boolean;
  readonly default: unknown;
}

/** Every key that a document of the schema may have. */
function keysOf(schema: Schema, path: readonly string[] = []): Key[] {
  const { properties = {}, required = [], additionalProperties, items } = schema;
  const own = Object.entries(properties).flatMap(([key, value]) => [
    {
      path: [...path, key].join("."),
      required: required.includes(key),
      default: value.default,
    },
    ...keysOf(value, [...path, key]),
  ]);
  const named =
    typeof additionalProperties === "object" ? keysOf(additionalProperties, [...path, "NAME"]) : [];
  return [...own, ...named, ...(items ? keysOf(items, path) : [])];
}

/** What the page says of a document: its section, from its headline to the next. */
function sectionOf(document: string): string {
  const [, text = ""] = page.split(`\n## ${document}\n`);
  return text.split("\n## ")[0] ?? "";
}

/** Key and default of every row of the section's tables. */
function rowsOf(section: string): { readonly key: string; readonly said: string }[] {
  return [...section.matchAll(/^\| `([^`]+)` +\| (.*?) +\|/gm)].map(([, key = "", said = ""]) => ({
    key,
    said,
  }));
}

/** `interval` and `http.port` stand for every path that ends so. */
const fits = (key: string, path: string): boolean => path === key || path.endsWith(`.${key}`);

const documents: Record<string, { readonly file: string; readonly schema: z.ZodType }> = {
  "capsule.json": { file: "capsule.v1.json", schema: capsuleSourceSchema },
  "deployment.yaml": { file: "deployment.v1.json", schema: deploymentSourceSchema },
  "environment.yaml": { file: "environment.v1.json", schema: environmentSchema },
  "agent.yaml": { file: "agent.v1.json", schema: agentSettingsSchema },
};

describe.each(Object.entries(documents))("the reference of %s", (name, { file, schema }) => {
  const text = readFileSync(join(packageFolder, "schemas", file), "utf8");
  const keys = keysOf(JSON.parse(text));
  const section = sectionOf(name);
  const rows = rowsOf(section);

  it("explains every key, and no other", () => {
    const paths = keys.map(({ path }) => path);
    expect(paths.filter((path) => !rows.some(({ key }) => fits(key, path)))).toEqual([]);
    expect(rows.filter(({ key }) => !paths.some((path) => fits(key, path)))).toEqual([]);
  });

  it("gives the defaults that hold, and – for what is required", () => {
    const expected = (key: Key): string | undefined => {
      if (key.required) return "–";
      return typeof key.default === "string" || typeof key.default === "number"
        ? `\`${key.default}\``
        : undefined;
    };
    const wrong = keys.flatMap((key) => {
      const row = rows.find((each) => fits(each.key, key.path));
      const wanted = expected(key);
      const good = wanted === undefined ? row?.said !== "–" : row?.said === wanted;
      return good ? [] : [`${key.path}: ${row?.said}, not ${wanted}`];
    });
    expect(wrong).toEqual([]);
  });

  it("shows an example that is taken", () => {
    const [, example = ""] = /```(?:yaml|json)\n(.*?)```/s.exec(section) ?? [];
    expect(parseDocumentText(example, schema, { file: name })).toMatchObject({
      apiVersion: "roboticks/v1",
    });
  });
});
