import type { PlatformClient } from "@roboticks/client";
import { ManualClock } from "@roboticks/core/testing";
import { documentDigest, generateKeyPair } from "@roboticks/trust";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { Platform } from "../src/index.ts";
import {
  assignment,
  enroll,
  makeCapsule,
  operatorOf,
  push,
  refusal,
  report,
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

describe("assignments", () => {
  const capsule = makeCapsule("assigned", "1.0.0");
  beforeAll(() => push(operator, capsule));

  test("one is kept, fetched once and known by its ETag", async () => {
    const device = await enroll(platform.url, robot);
    const envelope = signed(assignment(capsule, [robot]));
    await operator.putAssignment(robot, envelope);
    await operator.putAssignment(robot, envelope);
    const answer = await device.getAssignment(robot);
    if (answer.kind !== "assignment") throw new Error(answer.kind);
    expect(answer.envelope).toEqual(envelope);
    const { etag } = answer;
    expect(await device.getAssignment(robot, { etag })).toEqual({ kind: "unchanged" });
    expect(await operator.getDevice(robot)).toMatchObject({
      name: robot,
      assignment: 1,
      desired: {
        name: "delivery-robot",
        version: "1.0.0",
        digest: documentDigest(assignment(capsule, [robot]).deployment),
      },
    });
  });

  test("a waiting device is woken by a new one", async () => {
    const device = await enroll(platform.url, robot);
    const put = (version: number) =>
      operator.putAssignment(robot, signed(assignment(capsule, [robot], version)));
    const first = device.getAssignment(robot, { waitMs: 60_000 });
    await put(1);
    const answer = await first;
    if (answer.kind !== "assignment") throw new Error(answer.kind);
    const second = device.getAssignment(robot, { etag: answer.etag, waitMs: 60_000 });
    await put(2);
    expect(await second).toMatchObject({
      kind: "assignment",
      envelope: { signed: { version: 2 } },
    });
  });

  test("a wait ends without one after its time", async () => {
    const clock = new ManualClock();
    await using other = await startOn(clock);
    const device = await enroll(other.url, robot);
    await device.getAssignment(robot);
    const waited = device.getAssignment(robot, { waitMs: 7_000 });
    await expect.poll(() => clock.sleeping).toBe(1);
    await clock.advance(6_999);
    expect(clock.sleeping).toBe(1);
    await clock.advance(1);
    expect(await waited).toEqual({ kind: "none" });
  });

  test("a client that leaves is waited for no longer", async () => {
    const clock = new ManualClock();
    await using other = await startOn(clock);
    const device = await enroll(other.url, robot);
    await device.getAssignment(robot);
    const left = new AbortController();
    const waited = device.getAssignment(robot, { waitMs: 60_000, signal: left.signal });
    const rejected = expect(waited).rejects.toThrow("off");
    await expect.poll(() => clock.sleeping).toBe(1);
    left.abort(new Error("off"));
    await rejected;
    await expect.poll(() => clock.sleeping).toBe(0);
  });

  test("the platform's end ends every wait", async () => {
    const other = await startPlatform();
    const device = await enroll(other.url, robot);
    await device.getAssignment(robot);
    const waited = device.getAssignment(robot, { waitMs: 60_000 });
    const begun = performance.now();
    await other[Symbol.asyncDispose]();
    await other[Symbol.asyncDispose]();
    expect(performance.now() - begun).toBeLessThan(1_000);
    await expect(Promise.allSettled([waited])).resolves.toHaveLength(1);
  });

  test("an old version, other signatures and what does not fit are refused", async () => {
    await enroll(platform.url, robot);
    const content = assignment(capsule, [robot], 5);
    await operator.putAssignment(robot, signed(content));
    const put = (envelope: ReturnType<typeof signed>) => operator.putAssignment(robot, envelope);
    const old = refusal("ERR_PLATFORM_ASSIGNMENT_OLD", 409);
    const signature = refusal("ERR_PLATFORM_SIGNATURE", 422);
    const unfit = refusal("ERR_PLATFORM_ASSIGNMENT", 422);
    await expect(put(signed({ ...content, version: 4 }))).rejects.toEqual(old);
    await expect(put(signed({ ...content, expires: "2034-01-01T00:00:00Z" }))).rejects.toEqual(old);
    const next = { ...content, version: 6 };
    await expect(put({ ...signed(next), signatures: [] })).rejects.toEqual(signature);
    await expect(put(signed(next, generateKeyPair()))).rejects.toEqual(signature);
    const forged = signed(content);
    await expect(put({ ...forged, signed: { ...forged.signed, version: 6 } })).rejects.toEqual(
      signature,
    );
    await expect(put(signed({ ...next, project: "other" }))).rejects.toEqual(unfit);
    await expect(put(signed({ ...next, devices: ["robot-z"] }))).rejects.toEqual(unfit);
    await expect(put(signed({ ...next, expires: "2026-01-01T00:00:00Z" }))).rejects.toEqual(unfit);
    await expect(put(signed({ ...next, _type: "root" }))).rejects.toEqual(unfit);
    expect((await operator.getDevice(robot)).assignment).toBe(5);
    const stranger = signed(assignment(capsule, ["robot-z"]));
    await expect(operator.putAssignment("robot-z", stranger)).rejects.toEqual(
      refusal("ERR_PLATFORM_NOT_FOUND", 404),
    );
  });

  test("what the platform could not deliver is refused by name", async () => {
    await enroll(platform.url, robot);
    const missing = makeCapsule("missing", "1.0.0");
    const call = operator.putAssignment(robot, signed(assignment(missing, [robot])));
    await expect(call).rejects.toThrow(/missing@1\.0\.0/);
    await expect(call).rejects.toEqual(refusal("ERR_PLATFORM_CAPSULE_MISSING", 422));
    await operator.putManifest(missing.digest, missing.manifest);
    await expect(
      operator.putAssignment(robot, signed(assignment(missing, [robot]))),
    ).rejects.toThrow(/the archive of missing@1\.0\.0/);
    const resized = { ...capsule, size: capsule.size + 1 };
    await expect(
      operator.putAssignment(robot, signed(assignment(resized, [robot]))),
    ).rejects.toEqual(refusal("ERR_PLATFORM_CAPSULE_MISSING", 422));
  });
});

describe("reports", () => {
  test("they are kept once, in order, and watched as they come", async () => {
    const device = await enroll(platform.url, robot);
    const running = { ...report(1).deployment };
    expect(await device.sendReports(robot, [report(1), report(2)])).toBe(2);
    expect(await device.sendReports(robot, [report(1), report(2)])).toBe(2);
    const watch = operator.watchReports(robot, { after: 1 });
    expect((await watch.next()).value).toEqual(report(2));
    const next = watch.next();
    expect(await device.sendReports(robot, [report(2), report(7, running)])).toBe(7);
    expect((await next).value).toEqual(report(7, running));
    expect(await operator.getReports(robot)).toEqual([report(1), report(2), report(7, running)]);
    expect(await operator.getDevice(robot)).toMatchObject({ running, latest: { seq: 7 } });
  });

  test("many and large ones travel in pieces, in both directions", async () => {
    const device = await enroll(platform.url, robot);
    const lastLines = Array.from({ length: 50 }, () => "x".repeat(2_000));
    const cause = { code: "ERR_X", message: "m", lastLines };
    const many = Array.from({ length: 120 }, (_, index) => ({ ...report(index + 1), cause }));
    expect(await device.sendReports(robot, many)).toBe(120);
    const seen: number[] = [];
    for await (const { seq } of operator.watchReports(robot)) {
      seen.push(seq);
      if (seq === 120) break;
    }
    expect(seen).toEqual(many.map(({ seq }) => seq));
  });

  test("disorder, foreign keys and bodies that are too long are refused", async () => {
    const device = await enroll(platform.url, robot);
    const invalid = refusal("ERR_PLATFORM_INVALID", 400);
    await expect(device.sendReports(robot, [report(2), report(1)])).rejects.toEqual(invalid);
    const strange = { ...report(1), extra: true };
    await expect(device.sendReports(robot, [strange])).rejects.toEqual(invalid);
    const long = { ...report(1), message: "x".repeat(2 ** 20) };
    await expect(device.sendReports(robot, [long])).rejects.toEqual(
      refusal("ERR_PLATFORM_TOO_LARGE", 413),
    );
    expect(await operator.getReports(robot)).toEqual([]);
  });
});
