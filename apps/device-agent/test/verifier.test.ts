import { ManualClock } from "@roboticks/core/testing";
import { deploymentSchema, type Envelope } from "@roboticks/spec/deployment";
import {
  createRoot,
  documentDigest,
  formatExpiry,
  generateKeyPair,
  signEnvelope,
  verifyRoot,
} from "@roboticks/trust";
import { beforeEach, describe, expect, it } from "vitest";
import type { TrustAnchor } from "../src/identity.ts";
import { assignmentVerifier } from "../src/verifier.ts";

const now = Date.UTC(2027, 0, 1);
const hour = 3_600_000;
const operator = generateKeyPair();
const root = verifyRoot(
  JSON.parse(
    JSON.stringify(
      createRoot({
        rootKeys: [generateKeyPair()],
        assignmentKeys: [operator.publicKey],
        expires: formatExpiry(now + 1_000 * hour),
      }),
    ),
  ),
);
const deployment = deploymentSchema.parse({
  apiVersion: "roboticks/v1",
  kind: "Deployment",
  name: "robot",
  version: "1.0.0",
  capsules: {
    app: {
      capsule: { name: "app", version: "1.0.0", digest: `sha256:${"a".repeat(64)}`, size: 1 },
      environment: {},
    },
  },
});

let clock: ManualClock;
let anchor: TrustAnchor | undefined;
beforeEach(() => {
  clock = new ManualClock();
  clock.setWallTime(now);
  anchor = { project: "warehouse", pinned: "dsn", root };
});

/** An order for robot-7, signed; `more` goes over it before. */
function order(more: object = {}, key = operator): Envelope {
  const signed = {
    _type: "assignment",
    project: "warehouse",
    devices: ["robot-6", "robot-7"],
    version: 12,
    expires: formatExpiry(now + hour),
    retry: false,
    deployment: JSON.parse(JSON.stringify(deployment)),
    ...more,
  };
  return { signed, signatures: [...signEnvelope(signed, [key]).signatures] };
}

const verify = (envelope: Envelope) =>
  assignmentVerifier({ device: "robot-7", anchor: () => anchor, clock }).verify(envelope);

const claims = { assignment: 12, digest: documentDigest(order().signed.deployment), deployment };

describe("an order", () => {
  it("that everything speaks for holds, and is identified by the bytes that were signed", async () => {
    expect(await verify(order())).toEqual({ kind: "verified", retry: false, ...claims });
    expect(await verify(order({ retry: true }))).toMatchObject({ kind: "verified", retry: true });
    // What reading fills in is not part of the identity.
    const { activation: _, ...short } = order().signed.deployment as Record<string, never>;
    expect(await verify(order({ deployment: short }))).toEqual({
      kind: "verified",
      retry: false,
      ...claims,
      digest: documentDigest(short),
    });
  });

  it("is refused before the device trusts anybody", async () => {
    anchor = undefined;
    expect(await verify(order())).toMatchObject({ kind: "rejected", code: "ERR_AGENT_NO_ROOT" });
  });

  it.each([
    ["of another type", { _type: "targets" }],
    ["with a key that is not known", { force: true }],
    ["without a deployment", { deployment: null }],
    ["with a part that is not supported", { deployment: { ...deployment, bridge: {} } }],
    ["of a number that is none", { version: 0 }],
  ])("is refused %s, though it is signed", async (_what, more) => {
    expect(await verify(order(more))).toEqual({
      kind: "rejected",
      code: "ERR_AGENT_ORDER_MALFORMED",
      message: expect.any(String),
    });
  });

  it("is refused when nobody signed it, or somebody else", async () => {
    const code = "ERR_TRUST_THRESHOLD";
    const unsigned = { ...order(), signatures: [] };
    expect(await verify(unsigned)).toMatchObject({ kind: "rejected", code, claims });
    const foreign = order({}, generateKeyPair());
    expect(await verify(foreign)).toMatchObject({ kind: "rejected", code, claims });
  });

  it("is refused when a word of it was changed after it was signed", async () => {
    const envelope = order();
    const changes: Envelope["signed"][] = [
      { devices: ["robot-7"] },
      { version: 13 },
      { retry: true },
    ];
    for (const change of changes) {
      const changed = { ...envelope, signed: { ...envelope.signed, ...change } };
      expect(await verify(changed)).toMatchObject({
        kind: "rejected",
        code: "ERR_TRUST_SIGNATURE",
      });
    }
  });

  it.each([
    ["another device", { devices: ["robot-6"] }],
    ["another project", { project: "other" }],
  ])("is refused when it is for %s", async (_what, more) => {
    expect(await verify(order(more))).toMatchObject({
      kind: "rejected",
      code: "ERR_AGENT_ORDER_MISDIRECTED",
      message: expect.stringContaining("this is robot-7 of warehouse"),
      claims,
    });
  });

  it("is refused once it has expired, to the second", async () => {
    await clock.advance(hour - 1_000);
    expect(await verify(order())).toMatchObject({ kind: "verified" });
    await clock.advance(1_000);
    expect(await verify(order())).toMatchObject({
      kind: "rejected",
      code: "ERR_AGENT_ORDER_EXPIRED",
      message: "the order expired at 2027-01-01T01:00:00Z; sign it again",
      claims,
    });
  });

  it("of long ago is refused by a robot whose clock says 1970", async () => {
    clock.setWallTime(0);
    const old = order({ expires: "2026-10-31T00:00:00Z" });
    expect(await verify(old)).toMatchObject({ code: "ERR_AGENT_ORDER_EXPIRED" });
    expect(await verify(order())).toMatchObject({ kind: "verified" });
  });
});
