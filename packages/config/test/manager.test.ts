import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { digestOf } from "@roboticks/core/digest";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { ConfigurationManager, type Layer } from "../src/index.ts";

const schema = {
  type: "object",
  properties: {
    GREETING: { type: "string" },
    PORT: { type: "integer", default: 8_080 },
    TOKEN: { type: "string", maxLength: 4, writeOnly: true },
  },
};
const layers: Layer[] = [
  { from: "capsule", variables: { GREETING: "Hello", LOG: "info" } },
  { from: "deployment", variables: { GREETING: "Moin" } },
  { from: "local override", variables: { GREETING: "Servus" } },
];

let root: string;
let config: ConfigurationManager;
beforeEach(async () => {
  root = join(await mkdtemp(join(tmpdir(), "config-")), "config");
  config = await ConfigurationManager.open({ root });
});
afterEach(() => rm(join(root, ".."), { recursive: true }));

const fileOf = (version: string) => join(root, "hello", `${version.slice(7)}.json`);

describe("stage", () => {
  it("lets the highest layer win and says what it goes over", async () => {
    const staged = await config.stage("hello", { schema, layers });
    expect(staged.variables).toEqual({ GREETING: "Servus", LOG: "info", PORT: "8080" });
    expect(staged.explain("GREETING")).toEqual({
      value: "Servus",
      from: "local override",
      over: [
        { value: "Moin", from: "deployment" },
        { value: "Hello", from: "capsule" },
      ],
    });
    expect(staged.explain("NOTHING")).toBeUndefined();
  });

  it("counts the schema's defaults as the lowest layer", async () => {
    const staged = await config.stage("hello", {
      schema,
      layers: [{ from: "deployment", variables: { PORT: "9000" } }],
    });
    expect(staged.explain("PORT")).toEqual({
      value: "9000",
      from: "deployment",
      over: [{ value: "8080", from: "default" }],
    });
  });

  it("gives a process the text that was written, not what a number would print as", async () => {
    const { variables } = await config.stage("hello", {
      schema: { type: "object", properties: { ID: { type: "integer" }, RATE: { type: "number" } } },
      layers: [{ from: "deployment", variables: { ID: "12345678901234567890", RATE: "1.50" } }],
    });
    expect(variables).toEqual({ ID: "12345678901234567890", RATE: "1.50" });
  });

  it("accepts everything without a schema", async () => {
    const { variables } = await config.stage("hello", { layers });
    expect(variables).toEqual({ GREETING: "Servus", LOG: "info" });
  });

  it("is idempotent: one file, one version, whatever the order of the variables", async () => {
    const first = await config.stage("hello", { schema, layers });
    const before = await stat(fileOf(first.version), { bigint: true });
    const turned = layers.map(({ from, variables }) => ({
      from,
      variables: Object.fromEntries(Object.entries(variables).reverse()),
    }));
    const second = await config.stage("hello", { schema, layers: turned });
    expect(second.version).toBe(first.version);
    const after = await stat(fileOf(first.version), { bigint: true });
    expect(after.ino).toBe(before.ino);
  });

  it("keeps the files from other users", async () => {
    const { version } = await config.stage("hello", { layers });
    expect((await stat(fileOf(version))).mode & 0o777).toBe(0o600);
    expect((await stat(root)).mode & 0o777).toBe(0o700);
  });

  it("refuses what does not fit, naming who set it, and writes nothing", async () => {
    const staging = config.stage("hello", {
      schema,
      layers: [...layers, { from: "group", variables: { PORT: "high", TOKEN: "5ecret" } }],
    });
    await expect(staging).rejects.toMatchObject({
      code: "ERR_CONFIG_INVALID",
      retryable: false,
      message: expect.stringContaining('PORT is "high" and must be integer (set by group)'),
      problems: [{ variable: "PORT" }, { variable: "TOKEN" }],
    });
    await expect(staging).rejects.toMatchObject({ message: expect.not.stringContaining("5ecret") });
    expect(await config.versions("hello")).toEqual([]);
  });

  it("refuses a schema that cannot be used", async () => {
    await expect(config.stage("hello", { schema: { typ: 1 }, layers })).rejects.toMatchObject({
      code: "ERR_CONFIG_SCHEMA",
    });
  });

  it("writes a damaged version anew", async () => {
    const { version } = await config.stage("hello", { layers });
    await writeFile(fileOf(version), "");
    await config.stage("hello", { layers });
    expect(await config.read("hello", version)).toEqual({ GREETING: "Servus", LOG: "info" });
  });

  it("says so when the disk refuses", async () => {
    await writeFile(join(root, "hello"), "a file where the folder goes");
    await expect(config.stage("hello", { layers })).rejects.toMatchObject({
      code: "ERR_CONFIG_IO",
      retryable: true,
      cause: expect.objectContaining({ code: "ENOTDIR" }),
    });
  });

  it("carries a variable called __proto__ like any other", async () => {
    const variables = JSON.parse('{"__proto__":"a"}');
    const { version } = await config.stage("hello", { layers: [{ from: "x", variables }] });
    expect(Object.entries(await config.read("hello", version))).toEqual([["__proto__", "a"]]);
  });

  it.each(["../up", "", "a/b", "Upper", "a.b"])("refuses the name %j", async (name) => {
    await expect(config.stage(name, { layers })).rejects.toMatchObject({ code: "ERR_CONFIG_NAME" });
    await expect(config.versions(name)).rejects.toMatchObject({ code: "ERR_CONFIG_NAME" });
  });
});

describe("read", () => {
  it("finds a version again after a restart", async () => {
    const { version } = await config.stage("hello", { schema, layers });
    const later = await ConfigurationManager.open({ root });
    expect(await later.read("hello", version)).toEqual({
      GREETING: "Servus",
      LOG: "info",
      PORT: "8080",
    });
  });

  it("refuses a damaged file, be it one letter or cut short", async () => {
    const { version } = await config.stage("hello", { layers });
    const content = await readFile(fileOf(version), "utf8");
    for (const damaged of [content.replace("Servus", "Zervus"), content.slice(0, -2), ""]) {
      await writeFile(fileOf(version), damaged);
      await expect(config.read("hello", version)).rejects.toMatchObject({
        code: "ERR_CONFIG_DAMAGED",
      });
    }
  });

  it("says when there is no such version", async () => {
    await expect(config.read("hello", digestOf("x"))).rejects.toMatchObject({
      code: "ERR_CONFIG_NOT_FOUND",
    });
    await expect(config.read("hello", "sha256:../../x")).rejects.toMatchObject({
      code: "ERR_CONFIG_NOT_FOUND",
    });
  });
});

describe("versions and remove", () => {
  it("list what is kept, and nothing else that lies there", async () => {
    expect(await config.versions("hello")).toEqual([]);
    const one = await config.stage("hello", { layers });
    const two = await config.stage("hello", { layers: layers.slice(0, 1) });
    await writeFile(join(root, "hello", ".1.json.a1b2.tmp"), "half");
    expect(await config.versions("hello")).toEqual([one.version, two.version].sort());
    await config.remove("hello", one.version);
    await config.remove("hello", one.version);
    expect(await config.versions("hello")).toEqual([two.version]);
    await ConfigurationManager.open({ root });
    expect(await readdir(join(root, "hello"))).toEqual([`${two.version.slice(7)}.json`]);
  });
});
