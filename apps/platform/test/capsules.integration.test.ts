import { once } from "node:events";
import { connect } from "node:net";
import type { PlatformClient } from "@roboticks/client";
import { projectPath } from "@roboticks/spec/api";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { MemoryBlobs, type Platform } from "../src/index.ts";
import {
  enroll,
  makeCapsule,
  operatorOf,
  operatorToken,
  problemOf,
  project,
  push,
  rawRequest,
  refusal,
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

describe("capsules", () => {
  test("one is pushed, listed and fetched, whole and in parts", async () => {
    const capsule = makeCapsule("nav", "1.0.0");
    await push(operator, capsule);
    await push(operator, capsule);
    const { name, version, digest, size, archive } = capsule;
    expect(await operator.findCapsules({ name, version })).toEqual([
      { name, version, digest, size },
    ]);
    expect(await operator.findCapsules({ name: "arm" })).toEqual([]);
    const device = await enroll(platform.url, robot);
    expect(await device.getManifest(digest)).toEqual(capsule.manifest);
    const path = `/capsules/${digest}/archive`;
    const whole = await raw(path);
    expect(whole.headers.get("content-length")).toBe(String(size));
    expect(Buffer.from(await whole.arrayBuffer()).equals(archive)).toBe(true);
    const range = { range: "bytes=10-19" };
    const part = await raw(path, { headers: range });
    expect([part.status, part.headers.get("content-range")]).toEqual([206, `bytes 10-19/${size}`]);
    expect(await part.text()).toBe(archive.toString().slice(10, 20));
    const etag = whole.headers.get("etag") ?? "";
    const same = await raw(path, { headers: { ...range, "if-range": etag } });
    const changed = await raw(path, { headers: { ...range, "if-range": '"other"' } });
    expect([same.status, changed.status]).toEqual([206, 200]);
    await Promise.all([same.arrayBuffer(), changed.arrayBuffer()]);
    const beyond = await raw(path, { headers: { range: `bytes=${size}-` } });
    expect(await problemOf(beyond)).toEqual([416, "ERR_PLATFORM_RANGE"]);
    const head = await raw(path, { method: "HEAD" });
    expect(head.headers.get("content-length")).toBe(String(size));
  });

  test("a version is one capsule for good, and has one archive", async () => {
    const capsule = makeCapsule("fixed", "1.0.0");
    await push(operator, capsule);
    const other = new Uint8Array([...capsule.manifest, 10]);
    const digest = `sha256:${await sha256Of(other)}`;
    await expect(operator.putManifest(digest, other)).rejects.toEqual(
      refusal("ERR_PLATFORM_VERSION_EXISTS", 409),
    );
    const archive = Buffer.from("another archive");
    const upload = operator.putArchive(capsule.digest, {
      body: new Blob([archive]),
      size: archive.length,
      sha256: await sha256Of(archive),
    });
    await expect(upload).rejects.toEqual(refusal("ERR_PLATFORM_ARCHIVE_EXISTS", 409));
  });

  test("manifests that are none are refused", async () => {
    const capsule = makeCapsule("wrong", "1.0.0");
    const { digest } = makeCapsule("wrong", "2.0.0");
    await expect(operator.putManifest(digest, capsule.manifest)).rejects.toEqual(
      refusal("ERR_PLATFORM_DIGEST", 422),
    );
    for (const text of [
      "{}",
      "no json",
      '{"name": "a", "name": "b"}',
      `${Buffer.from(capsule.manifest)}`.replace("{", '{"__proto__": {}, '),
    ]) {
      const bytes = new Uint8Array(Buffer.from(text));
      const call = operator.putManifest(`sha256:${await sha256Of(bytes)}`, bytes);
      await expect(call, text).rejects.toEqual(refusal("ERR_PLATFORM_INVALID", 400));
    }
    expect(await operator.findCapsules({ name: "wrong" })).toEqual([]);
    expect(await problemOf(await raw("/capsules/sha256:12"))).toEqual([
      400,
      "ERR_PLATFORM_INVALID",
    ]);
  });

  test("an archive is streamed, and repeats nothing that was not asked for", async () => {
    const capsule = makeCapsule("streamed", "1.0.0", Buffer.alloc(900_000, 7));
    await operator.putManifest(capsule.digest, capsule.manifest);
    async function* chunks(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < capsule.size; at += 60_000) {
        yield new Uint8Array(capsule.archive.subarray(at, at + 60_000));
      }
    }
    const { size, sha256 } = capsule;
    await operator.putArchive(capsule.digest, { body: chunks(), size, sha256 });
    expect((await operator.findCapsules({ name: "streamed" }))[0]?.size).toBe(size);
  });

  test("an archive that is not what was announced is refused and not kept", async () => {
    const capsule = makeCapsule("announced", "1.0.0");
    const { digest, size, sha256, archive } = capsule;
    const upload = { body: new Blob([archive]), size, sha256 };
    await expect(operator.putArchive(digest, upload)).rejects.toEqual(
      refusal("ERR_PLATFORM_NOT_FOUND", 404),
    );
    await operator.putManifest(digest, capsule.manifest);
    await expect(
      operator.putArchive(digest, { ...upload, sha256: "0".repeat(64) }),
    ).rejects.toEqual(refusal("ERR_PLATFORM_DIGEST", 422));
    const path = `/capsules/${digest}/archive`;
    const unannounced = await raw(path, { method: "PUT", body: archive });
    expect(await problemOf(unannounced)).toEqual([400, "ERR_PLATFORM_INVALID"]);
    const huge = Buffer.alloc(1_000_001);
    await expect(
      operator.putArchive(digest, { ...upload, body: new Blob([huge]), size: huge.length }),
    ).rejects.toEqual(refusal("ERR_PLATFORM_TOO_LARGE", 413));
    expect((await operator.findCapsules({ name: "announced" }))[0]).not.toHaveProperty("size");
    expect(await problemOf(await raw(path))).toEqual([404, "ERR_PLATFORM_NOT_FOUND"]);
  });

  test("an upload whose connection breaks is not kept", async () => {
    class Watched extends MemoryBlobs {
      readonly ended = Promise.withResolvers<unknown>();
      override async put(...args: Parameters<MemoryBlobs["put"]>): Promise<void> {
        await super.put(...args).catch((error: unknown) => {
          this.ended.resolve(error);
          throw error;
        });
      }
    }
    const blobs = new Watched();
    await using other = await startPlatform({ blobs });
    const capsule = makeCapsule("cut", "1.0.0");
    await operatorOf(other.url).putManifest(capsule.digest, capsule.manifest);
    const socket = connect(Number(new URL(other.url).port), "127.0.0.1");
    const base64 = Buffer.from(capsule.sha256, "hex").toString("base64");
    socket.write(
      `PUT ${projectPath(project)}/capsules/${capsule.digest}/archive HTTP/1.1\r\nHost: x\r\n` +
        `Authorization: Bearer ${operatorToken}\r\nContent-Length: ${capsule.size}\r\n` +
        `Content-Digest: sha-256=:${base64}:\r\n\r\n`,
    );
    socket.write(capsule.archive.subarray(0, 100), () => socket.destroy());
    await once(socket, "close");
    expect(await blobs.ended.promise).toMatchObject({ code: "ERR_PLATFORM_TRUNCATED" });
    expect(await blobs.size(capsule.sha256)).toBeUndefined();
  });
});

async function sha256Of(bytes: Uint8Array<ArrayBuffer> | Buffer): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", new Uint8Array(bytes));
  return Buffer.from(hash).toString("hex");
}
