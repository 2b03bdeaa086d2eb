import { PlatformClient } from "@roboticks/client";
import { ManualClock } from "@roboticks/core/testing";
import { tokenStatement } from "@roboticks/spec/api";
import { generateKeyPair, signBytes } from "@roboticks/trust";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { MemoryState, type Platform } from "../src/index.ts";
import {
  assignment,
  dsnKey,
  enroll,
  enrolment,
  makeCapsule,
  operatorOf,
  operatorToken,
  problemOf,
  project,
  rawRequest,
  refusal,
  report,
  root,
  signed,
  startOn,
  startPlatform,
} from "./fleet.ts";

let platform: Platform;
let operator: PlatformClient;
let names = 0;
let robot: string;
beforeAll(async () => {
  platform = await startPlatform({ maxArchiveBytes: 1_000_000 });
  operator = operatorOf(platform.url);
});
afterAll(() => platform[Symbol.asyncDispose]());
beforeEach(() => {
  robot = `robot-${++names}`;
});

const raw = (path: string, init?: RequestInit) => rawRequest(platform.url, path, init);

describe("enrolment", () => {
  test("a device enrolls, and again with the same key", async () => {
    const key = generateKeyPair();
    const bare = new PlatformClient({ endpoint: platform.url, project });
    const first = await bare.enroll(enrolment(robot, key), { key: dsnKey });
    expect(first).toEqual({ device: robot, root });
    expect(await bare.enroll(enrolment(robot, key), { key: dsnKey })).toEqual(first);
    const other = bare.enroll(enrolment(robot, generateKeyPair()), { key: dsnKey });
    await expect(other).rejects.toEqual(refusal("ERR_PLATFORM_DEVICE_EXISTS", 409));
  });

  test("a wrong key of the DSN, a wrong proof and a malformed request are refused", async () => {
    const bare = new PlatformClient({ endpoint: platform.url, project });
    const request = enrolment(robot, generateKeyPair());
    await expect(bare.enroll(request, { key: "another-key-of-a-dsn" })).rejects.toEqual(
      refusal("ERR_PLATFORM_DSN_KEY", 401),
    );
    const stolen = { ...request, publicKey: generateKeyPair().publicKey };
    await expect(bare.enroll(stolen, { key: dsnKey })).rejects.toEqual(
      refusal("ERR_PLATFORM_PROOF", 401),
    );
    await expect(bare.enroll({ ...request, name: "No Name" }, { key: dsnKey })).rejects.toEqual(
      refusal("ERR_PLATFORM_INVALID", 400),
    );
    expect((await operator.listDevices()).map(({ name }) => name)).not.toContain(robot);
  });

  test("a nonce gives one token; a replay, another's and an unknown device's none", async () => {
    const key = generateKeyPair();
    await enroll(platform.url, robot, { key });
    const bare = new PlatformClient({ endpoint: platform.url, project });
    const answer = (name: string, nonce: string) => ({
      nonce,
      signature: signBytes(key, Buffer.from(tokenStatement(project, name, nonce))),
    });
    const request = answer(robot, await bare.challenge(robot));
    expect((await bare.token(robot, request)).expiresInSeconds).toBe(86_400);
    await expect(bare.token(robot, request)).rejects.toEqual(refusal("ERR_PLATFORM_PROOF", 401));
    const foreign = answer(robot, await bare.challenge("robot-x"));
    await expect(bare.token(robot, foreign)).rejects.toEqual(refusal("ERR_PLATFORM_PROOF", 401));
    const unknown = answer("robot-x", await bare.challenge("robot-x"));
    await expect(bare.token("robot-x", unknown)).rejects.toEqual(
      refusal("ERR_PLATFORM_PROOF", 401),
    );
  });

  test("a token ends; its device gets another by itself", async () => {
    const clock = new ManualClock();
    const state = new MemoryState();
    await using other = await startOn(clock, { state, deviceTokenLifeMs: 60_000 });
    // The device's own clock stands still: it learns of the end by being refused.
    const device = await enroll(other.url, robot, { clock: new ManualClock() });
    expect(await device.getAssignment(robot)).toEqual({ kind: "none" });
    clock.setWallTime(clock.now() + 61_000);
    expect(await device.getAssignment(robot)).toEqual({ kind: "none" });
    expect((await state.getDevice(robot))?.lastSeenAt).toBe(clock.now());
  });
});

describe("who may what", () => {
  test("a device's token is for itself, an operator's not for devices", async () => {
    const device = await enroll(platform.url, robot);
    const other = `${robot}-b`;
    await enroll(platform.url, other);
    const forbidden = refusal("ERR_PLATFORM_FORBIDDEN", 403);
    const unauthenticated = refusal("ERR_PLATFORM_UNAUTHENTICATED", 401);
    await expect(device.getAssignment(other)).rejects.toEqual(forbidden);
    await expect(device.sendReports(other, [report(1)])).rejects.toEqual(forbidden);
    await expect(device.listDevices()).rejects.toEqual(unauthenticated);
    await expect(device.getReports(robot)).rejects.toEqual(unauthenticated);
    await expect(device.findCapsules()).rejects.toEqual(unauthenticated);
    await expect(operator.getAssignment(robot)).rejects.toEqual(unauthenticated);
  });

  test("nothing but the root, health and the description goes without a token", async () => {
    const bare = new PlatformClient({ endpoint: platform.url, project });
    const capsule = makeCapsule("nobody", "1.0.0");
    const unauthenticated = refusal("ERR_PLATFORM_UNAUTHENTICATED", 401);
    const { digest, manifest, sha256, size } = capsule;
    const body = new Blob([capsule.archive]);
    for (const call of [
      () => bare.listDevices(),
      () => bare.getDevice(robot),
      () => bare.getReports(robot),
      () => bare.findCapsules(),
      () => bare.getManifest(digest),
      () => bare.putManifest(digest, manifest),
      () => bare.putArchive(digest, { body, size, sha256 }),
      () => bare.putAssignment(robot, signed(assignment(capsule, [robot]))),
      () => bare.getAssignment(robot),
      () => bare.sendReports(robot, [report(1)]),
    ]) {
      await expect(call()).rejects.toEqual(unauthenticated);
    }
    const archive = await fetch(bare.archiveUrl(digest));
    expect(await problemOf(archive)).toEqual([401, "ERR_PLATFORM_UNAUTHENTICATED"]);
    expect(archive.headers.get("www-authenticate")).toBe("Bearer");
    await bare.ping();
    expect(await bare.getRoot()).toEqual(root);
  });

  test("another project and an unknown path are not there", async () => {
    const client = new PlatformClient({
      endpoint: platform.url,
      project: "x",
      token: operatorToken,
    });
    await expect(client.listDevices()).rejects.toEqual(refusal("ERR_PLATFORM_NOT_FOUND", 404));
    expect(await problemOf(await raw("/nothing"))).toEqual([404, "ERR_PLATFORM_NOT_FOUND"]);
    await expect(operator.getDevice("nobody")).rejects.toEqual(
      refusal("ERR_PLATFORM_NOT_FOUND", 404),
    );
    await expect(operator.getReports("nobody")).rejects.toEqual(
      refusal("ERR_PLATFORM_NOT_FOUND", 404),
    );
  });

  test("the description names every route and its schemas", async () => {
    const response = await fetch(`${platform.url}/openapi.json`);
    const description = (await response.json()) as { openapi: string; paths: object };
    expect(description.openapi).toBe("3.1.0");
    expect(Object.keys(description.paths).sort()).toEqual(
      [
        "/capsules",
        "/capsules/{digest}",
        "/capsules/{digest}/archive",
        "/devices",
        "/devices/{device}",
        "/devices/{device}/assignment",
        "/devices/{device}/challenge",
        "/devices/{device}/reports",
        "/devices/{device}/token",
        "/trust/root",
      ].map((path) => `/v1/projects/{project}${path}`),
    );
  });
});

describe("bodies", () => {
  const post = (body: string, headers: Record<string, string> = {}) =>
    raw(`/devices/${robot}/token`, {
      method: "POST",
      body,
      headers: { "content-type": "application/json", ...headers },
    });

  test("JSON that parsers read differently is refused", async () => {
    for (const body of ['{"nonce": "a", "nonce": "b"}', "{", "[".repeat(100_000), '{"a": 1e999}']) {
      expect(await problemOf(await post(body))).toEqual([400, "ERR_PLATFORM_INVALID"]);
    }
  });

  test("so are another type and a body without a length", async () => {
    const typed = await post("{}", { "content-type": "text/plain" });
    expect(await problemOf(typed)).toEqual([400, "ERR_PLATFORM_INVALID"]);
    const stream = new Blob(["{}"]).stream();
    const chunked = await raw(`/devices/${robot}/token`, {
      method: "POST",
      body: stream,
      duplex: "half",
      headers: { "content-type": "application/json" },
    } as RequestInit);
    expect(await problemOf(chunked)).toEqual([411, "ERR_PLATFORM_LENGTH_REQUIRED"]);
  });
});

test("what fails inside is told to the log, not to the client", async () => {
  const logged: object[] = [];
  const log = (fields: object) => void logged.push(fields);
  class Broken extends MemoryState {
    override async listDevices(): Promise<never> {
      throw new Error("secret detail");
    }
  }
  const logger = { debug: log, info: log, warn: log, error: log };
  await using other = await startPlatform({ state: new Broken(), logger });
  const call = operatorOf(other.url).listDevices();
  await expect(call).rejects.toEqual(refusal("ERR_PLATFORM_INTERNAL", 500));
  await expect(call).rejects.not.toThrow(/secret detail/);
  expect(logged).toContainEqual(
    expect.objectContaining({ error: expect.objectContaining({ message: "secret detail" }) }),
  );
});
