import assert from "node:assert/strict";
import type { Report } from "@roboticks/spec/report";
import { type PlatformState, reportsKept, tokensKept } from "../state.ts";

/** One rule that every state keeps. */
export interface StateCase {
  readonly name: string;
  /** `reopen` closes the state and gives another over the same data. */
  run(state: PlatformState, reopen: () => Promise<PlatformState>): Promise<void>;
}

const digest = `sha256:${"a".repeat(64)}` as const;
const otherDigest = `sha256:${"b".repeat(64)}` as const;
const label = { name: "robot", version: "1.0.0", digest };

function device(name: string, key = "1") {
  const publicKey = {
    keytype: "ed25519",
    scheme: "ed25519",
    keyval: { public: key.repeat(64) },
  } as const;
  return { name, publicKey, enrolledAt: 1_000 };
}

function report(seq: number): Report {
  return { seq, at: 5, state: "committed", assignment: 1, deployment: label };
}

/** What a {@link PlatformState} promises, as cases that any implementation can run on an empty one. */
export const stateContract: readonly StateCase[] = [
  {
    name: "a device is kept once, under its first key",
    async run(state, reopen) {
      assert.deepEqual(await state.addDevice(device("b")), device("b"));
      assert.deepEqual(await state.addDevice(device("a")), device("a"));
      assert.deepEqual(await state.addDevice(device("b", "2")), device("b"));
      const again = await reopen();
      assert.deepEqual(await again.listDevices(), [device("a"), device("b")]);
      assert.deepEqual(await again.getDevice("a"), device("a"));
      assert.equal(await again.getDevice("c"), undefined);
    },
  },
  {
    name: "when a device was last seen is kept",
    async run(state, reopen) {
      await state.addDevice(device("a"));
      await state.setLastSeen("a", 77);
      assert.equal((await (await reopen()).getDevice("a"))?.lastSeenAt, 77);
    },
  },
  {
    name: "tokens are found by hash until they are old",
    async run(state, reopen) {
      await state.addDevice(device("a"));
      const first = { hash: "11", device: "a", expiresAt: 100 };
      const second = { hash: "22", device: "a", expiresAt: 900 };
      await state.addToken(first, 0);
      const again = await reopen();
      assert.deepEqual(await again.getToken("11"), first);
      await again.addToken(second, 500);
      assert.equal(await again.getToken("11"), undefined);
      assert.deepEqual(await again.getToken("22"), second);
    },
  },
  {
    name: "a device's oldest tokens make room",
    async run(state) {
      await state.addDevice(device("a"));
      await state.addDevice(device("b"));
      await state.addToken({ hash: "other", device: "b", expiresAt: 1 }, 0);
      for (let n = 0; n <= tokensKept; n++) {
        await state.addToken({ hash: `t${n}`, device: "a", expiresAt: 100 + n }, 0);
      }
      assert.equal(await state.getToken("t0"), undefined);
      assert.ok(await state.getToken("t1"));
      assert.ok(await state.getToken("other"));
    },
  },
  {
    name: "a name and version has one manifest, for good",
    async run(state, reopen) {
      const manifest = Buffer.from('{"x": 1}\n');
      const capsule = { digest, name: "nav", version: "1.0.0" };
      assert.equal(await state.addCapsule(capsule, manifest), "kept");
      assert.equal(await state.addCapsule(capsule, manifest), "kept");
      const other = { ...capsule, digest: otherDigest };
      assert.equal(await state.addCapsule(other, manifest), "conflict");
      const again = await reopen();
      assert.deepEqual(await again.getCapsule(digest), capsule);
      assert.equal(await again.getCapsule(otherDigest), undefined);
      assert.deepEqual(Buffer.from((await again.getManifest(digest)) ?? []), manifest);
      assert.equal(await again.getManifest(otherDigest), undefined);
    },
  },
  {
    name: "capsules are listed by name and by version",
    async run(state) {
      const nav1 = { digest, name: "nav", version: "1.0.0" };
      const nav2 = { digest: otherDigest, name: "nav", version: "2.0.0" };
      const arm = { digest: `sha256:${"c".repeat(64)}`, name: "arm", version: "1.0.0" };
      for (const capsule of [nav2, nav1, arm]) await state.addCapsule(capsule, Buffer.from("{}"));
      assert.deepEqual(await state.listCapsules({}), [arm, nav2, nav1]);
      assert.deepEqual(await state.listCapsules({ name: "nav" }), [nav2, nav1]);
      assert.deepEqual(await state.listCapsules({ name: "nav", version: "1.0.0" }), [nav1]);
      assert.deepEqual(await state.listCapsules({ version: "1.0.0" }), [arm, nav1]);
      assert.deepEqual(await state.listCapsules({ name: "leg" }), []);
    },
  },
  {
    name: "the first archive of a capsule stays",
    async run(state, reopen) {
      await state.addCapsule({ digest, name: "nav", version: "1.0.0" }, Buffer.from("{}"));
      const archive = { sha256: "d".repeat(64), size: 7 };
      assert.deepEqual(await state.setArchive(digest, archive), archive);
      assert.deepEqual(await state.setArchive(digest, { ...archive, size: 8 }), archive);
      assert.deepEqual((await (await reopen()).getCapsule(digest))?.archive, archive);
    },
  },
  {
    name: "an archive needs its capsule",
    async run(state) {
      await assert.rejects(state.setArchive(digest, { sha256: "d".repeat(64), size: 7 }));
    },
  },
  {
    name: "assignments only go forward",
    async run(state, reopen) {
      await state.addDevice(device("a"));
      assert.equal(await state.getAssignment("a"), undefined);
      const entry = (version: number) => ({
        version,
        deployment: label,
        envelope: `{"v":${version}}`,
      });
      assert.equal(await state.setAssignment("a", entry(3)), "kept");
      assert.equal(await state.setAssignment("a", entry(3)), "old");
      assert.equal(await state.setAssignment("a", entry(2)), "old");
      assert.equal(await state.setAssignment("a", entry(4)), "kept");
      assert.deepEqual(await (await reopen()).getAssignment("a"), entry(4));
    },
  },
  {
    name: "reports are kept once each, in order, gaps allowed",
    async run(state, reopen) {
      await state.addDevice(device("a"));
      await state.addDevice(device("b"));
      assert.equal(await state.addReports("a", []), 0);
      assert.equal(await state.addReports("a", [report(1), report(2)]), 2);
      assert.equal(await state.addReports("a", [report(2), report(5)]), 5);
      assert.equal(await state.addReports("a", [report(3)]), 5);
      assert.equal(await state.addReports("b", [report(9)]), 9);
      const again = await reopen();
      const all = await again.listReports("a", { after: 0, limit: 10 });
      assert.deepEqual(all, [report(1), report(2), report(5)]);
      assert.deepEqual(await again.listReports("a", { after: 1, limit: 1 }), [report(2)]);
      assert.deepEqual(await again.getLatestReport("a"), report(5));
      assert.equal(await again.getLatestReport("c"), undefined);
    },
  },
  {
    name: "a device's oldest reports make room",
    async run(state) {
      await state.addDevice(device("a"));
      const many = Array.from({ length: reportsKept + 3 }, (_, index) => report(index + 1));
      assert.equal(await state.addReports("a", many), reportsKept + 3);
      assert.equal((await state.listReports("a", { after: 0, limit: 1 }))[0]?.seq, 4);
    },
  },
];
