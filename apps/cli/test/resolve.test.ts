import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PlatformClient } from "@roboticks/client";
import { digestOf } from "@roboticks/core/digest";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { resolveDeployment } from "../src/deploy/resolve.ts";

const manifest = {
  apiVersion: "roboticks/v1",
  kind: "Capsule",
  name: "navigation",
  version: "1.4.2",
  processes: { main: { command: "/bin/true" } },
  configuration: {
    schema: {
      type: "object",
      properties: { SPEED: { type: "number", maximum: 2 }, PORT: { type: "integer" } },
      required: ["PORT"],
      additionalProperties: false,
    },
  },
  files: [],
};

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "resolve-"));
});
afterEach(() => rm(folder, { recursive: true }));

/** A platform that has one capsule, whose manifest it gives as `served`. */
function platform({ has = {}, served = JSON.stringify(manifest), uploaded = true } = {}) {
  const digest = digestOf(JSON.stringify({ ...manifest, ...has }));
  const { name, version } = manifest;
  const record = { name, version, digest, ...(uploaded ? { size: 123 } : {}) };
  return new PlatformClient({
    endpoint: "http://127.0.0.1:9",
    project: "default",
    fetch: async (input) => {
      const { pathname, searchParams } = new URL(String(input));
      if (pathname.endsWith(`/capsules/${digest}`)) return new Response(served);
      const found = searchParams.get("name") === name && searchParams.get("version") === version;
      return Response.json({ capsules: found ? [record] : [] });
    },
  });
}

/** Writes a deployment of `capsule` with an environment; its path. */
async function write(
  variables: string,
  { capsule = "navigation@1.4.2", environment = "environment.yaml" } = {},
): Promise<string> {
  await writeFile(
    join(folder, "environment.yaml"),
    `apiVersion: roboticks/v1\nkind: Environment\nvariables: ${variables}\n`,
  );
  const file = join(folder, "deployment.yaml");
  await writeFile(
    file,
    `$schema: ./deployment.v1.json
apiVersion: roboticks/v1
kind: Deployment
name: robot
version: 2.0.0
capsules:
  nav: { capsule: ${capsule}, environment: ${environment} }
`,
  );
  return file;
}

describe("resolveDeployment", () => {
  it("pins the capsule and takes the values; the rest are the defaults", async () => {
    const deployment = await resolveDeployment(await write("{ SPEED: 1.5 }"), platform());
    expect(deployment).toEqual({
      apiVersion: "roboticks/v1",
      kind: "Deployment",
      name: "robot",
      version: "2.0.0",
      activation: {
        strategy: "replace",
        minHealthyTime: "10s",
        healthyDeadline: "5m",
        probation: "30m",
        progressDeadline: "10m",
      },
      capsules: {
        nav: {
          capsule: {
            name: "navigation",
            version: "1.4.2",
            digest: digestOf(JSON.stringify(manifest)),
            size: 123,
          },
          environment: { SPEED: "1.5" },
          health: [],
        },
      },
    });
  });

  it("says every value that the capsule's schema refuses, but not what a device may set", async () => {
    const file = await write("{ SPEED: 3, SPED: 1 }");
    const failure = await resolveDeployment(file, platform()).catch((error) => error);
    expect(failure.code).toBe("ERR_CLI_ENVIRONMENT");
    const [first, ...lines] = failure.message.split("\n");
    expect(first).toBe("the environment of nav does not fit navigation@1.4.2:");
    expect(lines).toHaveLength(2);
    for (const line of lines) expect(line).toContain(`${join(folder, "environment.yaml")}  `);
    expect(lines.join()).toContain("SPEED");
    expect(lines.join()).toContain("SPED");
    expect(lines.join()).not.toContain('PORT" is missing');
  });

  it.each([
    ["a version that was not pushed", { capsule: "navigation@9.0.0" }, {}],
    ["an archive that was not uploaded", {}, { uploaded: false }],
  ])("knows no capsule of %s", async (_what, document, options) => {
    const file = await write("{}", document);
    await expect(resolveDeployment(file, platform(options))).rejects.toMatchObject({
      code: "ERR_CLI_UNKNOWN_CAPSULE",
    });
  });

  it("signs nothing for a manifest that the platform changed", async () => {
    const served = JSON.stringify({ ...manifest, description: "changed" });
    const resolved = resolveDeployment(await write("{}"), platform({ served }));
    await expect(resolved).rejects.toMatchObject({ code: "ERR_CLI_CAPSULE_MANIFEST" });
  });

  it.each([{ name: "other" }, { version: "1.4.1" }])(
    "signs nothing for a capsule that calls itself otherwise: %j",
    async (has) => {
      const served = JSON.stringify({ ...manifest, ...has });
      const resolved = resolveDeployment(await write("{}"), platform({ has, served }));
      await expect(resolved).rejects.toMatchObject({
        code: "ERR_CLI_CAPSULE_MANIFEST",
        message: expect.stringContaining("navigation@1.4.2"),
      });
    },
  );

  it("says which file of a deployment cannot be read", async () => {
    const file = await write("{}", { environment: "nowhere.yaml" });
    await expect(resolveDeployment(file, platform())).rejects.toMatchObject({
      code: "ERR_CLI_FILE",
      message: expect.stringContaining("nowhere.yaml"),
    });
  });
});
