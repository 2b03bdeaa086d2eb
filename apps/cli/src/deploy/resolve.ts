import { dirname, join } from "node:path";
import type { PlatformClient } from "@roboticks/client";
import { validateVariables } from "@roboticks/config";
import { digestOf, isDigest } from "@roboticks/core/digest";
import type { CapsuleManifest } from "@roboticks/spec/capsule";
import {
  type CapsuleUse,
  type Deployment,
  type DeploymentSource,
  deploymentSourceSchema,
} from "@roboticks/spec/deployment";
import { environmentSchema, variablesOf } from "@roboticks/spec/environment";
import { CliError } from "../errors.ts";
import { parseManifest, readDocument } from "../files.ts";

/**
 * Reads `deployment.yaml` and what it names, and pins everything: capsules to the digests of
 * their manifests, environments to their values.
 *
 * @throws {SpecError} for what is wrong in a document
 * @throws {CliError} `ERR_CLI_UNKNOWN_CAPSULE`, `ERR_CLI_CAPSULE_MANIFEST`, `ERR_CLI_ENVIRONMENT`
 */
export async function resolveDeployment(file: string, client: PlatformClient): Promise<Deployment> {
  const { $schema: _, ...source } = await readDocument(file, deploymentSourceSchema);
  const uses = await Promise.all(
    Object.entries(source.capsules).map(
      async ([name, use]) => [name, await resolveUse(file, name, use, client)] as const,
    ),
  );
  const { apiVersion, kind, version, activation } = source;
  return {
    apiVersion,
    kind,
    name: source.name,
    version,
    activation,
    capsules: Object.fromEntries(uses),
  };
}

async function resolveUse(
  file: string,
  name: string,
  {
    capsule: reference,
    environment: environmentFile,
    health,
  }: DeploymentSource["capsules"][string],
  client: PlatformClient,
): Promise<CapsuleUse> {
  const { manifest, ...capsule } = await findCapsule(reference, client);
  const path = environmentFile && join(dirname(file), environmentFile);
  const environment = path ? variablesOf(await readDocument(path, environmentSchema)) : {};
  const schema = manifest.configuration?.schema;
  // What is missing may be set on the device itself; it is checked there again.
  const problems = schema
    ? validateVariables(schema, environment).filter(({ rule }) => rule !== "required")
    : [];
  if (problems.length > 0) {
    const lines = problems.map(
      ({ message }) => `${path ?? file}  ${message}  [ERR_CLI_ENVIRONMENT]`,
    );
    throw new CliError(
      "ERR_CLI_ENVIRONMENT",
      `the environment of ${name} does not fit ${reference}:\n${lines.join("\n")}`,
    );
  }
  return { capsule, environment, health };
}

async function findCapsule(
  reference: string,
  client: PlatformClient,
): Promise<CapsuleUse["capsule"] & { manifest: CapsuleManifest }> {
  const [name = "", version = ""] = reference.split("@");
  const [found] = await client.findCapsules({ name, version });
  if (!found?.size || !isDigest(found.digest)) {
    throw new CliError(
      "ERR_CLI_UNKNOWN_CAPSULE",
      `the platform has no capsule ${reference}; pack and push it first`,
    );
  }
  const { digest, size } = found;
  const bytes = await client.getManifest(digest);
  if (digestOf(bytes) !== digest) {
    throw new CliError(
      "ERR_CLI_CAPSULE_MANIFEST",
      `the platform's manifest of ${reference} is not the one that its digest ${digest} names; nothing was signed`,
    );
  }
  const manifest = parseManifest(bytes, `${reference} capsule.json`);
  if (manifest.name !== name || manifest.version !== version) {
    throw new CliError(
      "ERR_CLI_CAPSULE_MANIFEST",
      `the platform calls a capsule ${reference} that calls itself ${manifest.name}@${manifest.version}; nothing was signed`,
    );
  }
  return { name, version, digest, size, manifest };
}
