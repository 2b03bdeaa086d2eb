import { createHash } from "node:crypto";
import { deviceTokens, PlatformClient } from "@roboticks/client";
import type { Clock } from "@roboticks/core";
import type { ManualClock } from "@roboticks/core/testing";
import { enrollStatement, projectPath } from "@roboticks/spec/api";
import type { Envelope } from "@roboticks/spec/deployment";
import type { Report } from "@roboticks/spec/report";
import {
  createRoot,
  generateKeyPair,
  type KeyPair,
  signBytes,
  signEnvelope,
} from "@roboticks/trust";
import { expect } from "vitest";
import type { Platform, PlatformOptions } from "../src/index.ts";
import { createPlatform, MemoryBlobs, MemoryState, sha256Hex } from "../src/index.ts";

export const operatorToken = "operator-token-of-the-tests";
export const dsnKey = "dsn-key-of-the-tests-0123";
export const project = "warehouse";

export const rootKey = generateKeyPair();
export const assignmentKey = generateKeyPair();
export const root = createRoot({
  rootKeys: [rootKey],
  assignmentKeys: [assignmentKey.publicKey],
  expires: "2036-01-01T00:00:00Z",
});

/** A platform in this process that forgets everything. */
export function startPlatform(options: Partial<PlatformOptions> = {}) {
  return createPlatform({
    state: new MemoryState(),
    blobs: new MemoryBlobs(),
    root,
    operatorTokenHashes: [sha256Hex(operatorToken)],
    dsnKeyHashes: [sha256Hex(dsnKey)],
    project,
    ...options,
  });
}

export function operatorOf(endpoint: string, token = operatorToken): PlatformClient {
  return new PlatformClient({ endpoint, project, token });
}

export function enrolment(name: string, key: KeyPair) {
  const statement = enrollStatement(project, name, key.publicKey.keyval.public);
  return { name, publicKey: key.publicKey, proof: signBytes(key, Buffer.from(statement)) };
}

/** An enrolled device and its client. */
export async function enroll(
  endpoint: string,
  name: string,
  { key = generateKeyPair(), clock }: { key?: KeyPair; clock?: Clock } = {},
): Promise<PlatformClient> {
  const bare = new PlatformClient({ endpoint, project });
  await bare.enroll(enrolment(name, key), { key: dsnKey });
  return deviceOf(endpoint, name, key, clock);
}

/** The client of a device that was enrolled with `key`. */
export function deviceOf(endpoint: string, name: string, key: KeyPair, clock?: Clock) {
  const client = new PlatformClient({ endpoint, project });
  const sign = (text: string) => signBytes(key, Buffer.from(text));
  const token = deviceTokens({ client, device: name, sign, ...(clock && { clock }) });
  return new PlatformClient({ endpoint, project, token });
}

/** A capsule whose archive is some bytes: the platform never looks into it. */
export function makeCapsule(
  name: string,
  version: string,
  archive = Buffer.from("archive ".repeat(999)),
) {
  const manifest = new Uint8Array(
    Buffer.from(
      JSON.stringify({
        apiVersion: "roboticks/v1",
        kind: "Capsule",
        name,
        version,
        processes: { main: { command: "bin/main" } },
        files: [],
      }),
    ),
  );
  const digest = `sha256:${sha256Hex(manifest)}` as const;
  const sha256 = createHash("sha256").update(archive).digest("hex");
  return { name, version, digest, manifest, archive, size: archive.length, sha256 };
}

type Capsule = ReturnType<typeof makeCapsule>;

export async function push(operator: PlatformClient, capsule: Capsule): Promise<void> {
  const { digest, manifest, archive, size, sha256 } = capsule;
  await operator.putManifest(digest, manifest);
  await operator.putArchive(digest, { body: new Blob([archive]), size, sha256 });
}

/** An assignment's content, as it would be signed. */
export function assignment(capsule: Capsule, devices: string[], version = 1) {
  const { name, digest, size } = capsule;
  return {
    _type: "assignment",
    project,
    devices,
    version,
    expires: "2035-01-01T00:00:00Z",
    deployment: {
      apiVersion: "roboticks/v1",
      kind: "Deployment",
      name: "delivery-robot",
      version: "1.0.0",
      activation: {},
      capsules: {
        navigation: {
          capsule: { name, version: capsule.version, digest, size },
          environment: {},
          health: [],
        },
      },
    },
  };
}

export function signed(content: ReturnType<typeof assignment>, key = assignmentKey): Envelope {
  const { signed: document, signatures } = signEnvelope(content, [key]);
  return { signed: document, signatures: [...signatures] };
}

export function report(seq: number, running?: Report["running"]): Report {
  const deployment = {
    name: "delivery-robot",
    version: "1.0.0",
    digest: `sha256:${"a".repeat(64)}`,
  } as const;
  return {
    seq,
    at: 1_000 + seq,
    state: "trial",
    assignment: 1,
    deployment,
    ...(running && { running }),
  };
}

/** What a refused call rejects with. */
export function refusal(code: string, status: number) {
  return expect.objectContaining({
    code: "ERR_CLIENT_REFUSED",
    status,
    problem: expect.objectContaining({ code }),
  });
}

/** A request of an operator as no client of ours would make it. */
export function rawRequest(
  endpoint: string,
  path: string,
  init: RequestInit = {},
): Promise<Response> {
  const headers = { authorization: `Bearer ${operatorToken}`, ...init.headers };
  return fetch(endpoint + projectPath(project) + path, { ...init, headers });
}

export async function problemOf(response: Response): Promise<[number, unknown]> {
  return [response.status, ((await response.json()) as { code: unknown }).code];
}

/** A platform on a clock that stands still; disposing lets the time pass that it may take. */
export async function startOn(
  clock: ManualClock,
  options: Partial<PlatformOptions> = {},
): Promise<Platform> {
  const started = await startPlatform({ ...options, clock });
  return {
    url: started.url,
    async [Symbol.asyncDispose]() {
      const ended = started[Symbol.asyncDispose]();
      await clock.advance(500);
      await ended;
    },
  };
}
