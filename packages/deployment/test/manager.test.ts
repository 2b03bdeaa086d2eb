import { describe, expect, it } from "vitest";
import { deploymentOf, identityOf, order, World } from "./world.ts";

const v1 = deploymentOf("1.0.0");
const v2 = deploymentOf("2.0.0");
const v3 = deploymentOf("3.0.0");

/** Runs `deployment` on the device until it is committed. */
async function committed(world: World, assignment: number, deployment = v1) {
  const agent = await world.boot();
  const { id } = await agent.manager.submit(order(assignment, deployment));
  await world.clock.advance(3_600_000);
  expect(await agent.manager.settled(id)).toEqual({ kind: "committed" });
  return agent;
}

describe("a deployment", () => {
  it("is staged, started, judged, and committed after probation", async () => {
    const world = new World();
    const { manager } = await world.boot();
    const { id } = await manager.submit(order(1, v1));
    await world.clock.advance(5_000);
    expect(manager.state.attempt?.phase).toBe("trial");
    expect(manager.state.running).toBeUndefined();
    await world.clock.advance(5_000);
    expect(manager.state.attempt?.phase).toBe("probation");
    expect(manager.state.running?.deployment.version).toBe("1.0.0");
    await world.clock.advance(30 * 60_000);
    expect(await manager.settled(id)).toEqual({ kind: "committed" });
    expect(world.log).toEqual(["start app 1.0.0 Hello"]);
    const states = (await manager.reports.pending()).map(({ state }) => state);
    expect(states).toEqual([
      "accepted",
      "staging",
      "activating",
      "trial",
      "probation",
      "committed",
    ]);
    await manager[Symbol.asyncDispose]();
  });

  it("replaces the one before, which is kept", async () => {
    const world = new World();
    const { manager } = await committed(world, 1);
    await manager.submit(order(2, v2));
    await world.clock.advance(3_600_000);
    expect(world.log).toEqual(["start app 1.0.0 Hello", "stop app", "start app 2.0.0 Hello"]);
    expect(manager.state.previous.map(({ deployment }) => deployment.version)).toEqual(["1.0.0"]);
    expect(world.present.size).toBe(2);
  });

  it("restarts without a download when only the environment differs", async () => {
    const world = new World();
    const { manager } = await committed(world, 1);
    await manager.submit(order(2, deploymentOf("1.0.1", { capsule: "1.0.0", greeting: "Moin" })));
    await world.clock.advance(1);
    expect(manager.state.attempt?.plan.bytesToFetch).toBe(0);
    await world.clock.advance(3_600_000);
    expect(world.log.at(-1)).toBe("start app 1.0.0 Moin");
  });

  it("leaves alone what is the same", async () => {
    const world = new World();
    const two = deploymentOf("1.0.0", { uses: ["app", "map"] });
    const { manager } = await committed(world, 1, two);
    const next = structuredClone(two);
    next.version = "1.1.0";
    const app = next.capsules.app;
    if (app) app.environment = { GREETING: "Moin" };
    await manager.submit(order(2, next));
    await world.clock.advance(3_600_000);
    expect(world.log.slice(2)).toEqual(["stop app", "start app 1.0.0 Moin"]);
  });

  it("that runs already is unchanged, and the newer assignment counts", async () => {
    const world = new World();
    const { manager } = await committed(world, 1);
    const { id } = await manager.submit(order(2, v1));
    expect(await manager.settled(id)).toEqual({ kind: "unchanged" });
    expect(manager.state.assignment).toBe(2);
    expect(world.log).toEqual(["start app 1.0.0 Hello"]);
  });
});

describe("a deployment that is not healthy", () => {
  it.each([
    ["unhealthy", "ERR_DEPLOYMENT_UNHEALTHY", 1],
    ["never", "ERR_DEPLOYMENT_DEADLINE", 1],
    ["unknown", "ERR_DEPLOYMENT_HEALTH_UNKNOWN", 0],
    ["will not start", "ERR_CAPSULE_START", 1],
  ] as const)("(%s) is undone, with its cause", async (nature, code, remembered) => {
    const world = new World();
    const { manager } = await committed(world, 1);
    world.nature("2.0.0", nature);
    const { id } = await manager.submit(order(2, v2));
    await world.clock.advance(3_600_000);
    const outcome = await manager.settled(id);
    expect(outcome).toMatchObject({
      kind: "reverted",
      to: "1.0.0",
      cause: { code, lastLines: ["app said something"] },
    });
    expect(world.version()).toBe("1.0.0");
    expect(manager.state.bad).toHaveLength(remembered);
    expect(manager.state.running?.digest).toBe(identityOf(v1));
    const last = (await manager.reports.pending()).at(-1);
    expect(last).toMatchObject({
      state: "reverted",
      running: { version: "1.0.0" },
      cause: { code },
    });
  });

  it("is not tried again until somebody asks to", async () => {
    const world = new World();
    const { manager } = await committed(world, 1);
    world.nature("2.0.0", "unhealthy");
    await manager.submit(order(2, v2));
    await world.clock.advance(60_000);
    await manager.submit(order(2, v2)); // the same order, seen again
    const again = await manager.submit(order(3, v2));
    await world.clock.advance(60_000);
    expect(await manager.settled(again.id)).toMatchObject({
      kind: "refused",
      code: "ERR_DEPLOYMENT_KNOWN_BAD",
    });
    expect(world.log.filter((line) => line.startsWith("start app 2"))).toHaveLength(1);

    world.nature("2.0.0", "healthy");
    const asked = await manager.submit(order(4, v2, true));
    await world.clock.advance(3_600_000);
    expect(await manager.settled(asked.id)).toEqual({ kind: "committed" });
  });

  it("leaves nothing running where nothing ran before, and said so in its plan", async () => {
    const world = new World();
    world.nature("1.0.0", "unhealthy");
    const { manager } = await world.boot();
    const { id } = await manager.submit(order(1, v1));
    await world.clock.advance(10);
    expect(manager.state.attempt?.plan.rollback).toBe("unavailable");
    await world.clock.advance(60_000);
    expect(await manager.settled(id)).toMatchObject({ kind: "reverted" });
    expect(world.running.size).toBe(0);
  });

  it("goes back on probation too, but only for lasting failure", async () => {
    const world = new World();
    const { manager } = await committed(world, 1);
    const { id } = await manager.submit(order(2, v2));
    await world.clock.advance(20_000);
    expect(manager.state.attempt?.phase).toBe("probation");
    world.failing.add("app");
    await world.clock.advance(60_000);
    expect(await manager.settled(id)).toMatchObject({ kind: "reverted", to: "1.0.0" });
    expect(world.version()).toBe("1.0.0");
  });

  it("never goes back by itself once it is committed", async () => {
    const world = new World();
    const { manager } = await committed(world, 1);
    await manager.submit(order(2, v2));
    await world.clock.advance(3_600_000);
    world.failing.add("app");
    await world.clock.advance(86_400_000);
    expect(world.version()).toBe("2.0.0");
  });

  it("is not blamed for a check that failed before", async () => {
    const world = new World();
    const { manager } = await committed(world, 1);
    world.failingChecks.set("app", ["http"]);
    await manager.submit(order(2, v2));
    await world.clock.advance(60_000);
    expect(world.seen.at(-1)).toEqual({ ignored: ["http"] });
  });

  it("cannot be gone back to when its files are damaged; a newer one is the way out", async () => {
    const world = new World();
    const { manager } = await committed(world, 1);
    const [digest] = world.present;
    if (digest) world.damaged.add(digest);
    world.nature("2.0.0", "unhealthy");
    await manager.submit(order(2, v2));
    await world.clock.advance(60_000);
    expect(world.version()).toBeUndefined();
    const told = (await manager.reports.pending()).find(
      (r) => r.cause?.code === "ERR_DEPLOYMENT_DAMAGED",
    );
    expect(told?.state).toBe("undoing");
    const { id } = await manager.submit(order(3, v3));
    await world.clock.advance(3_600_000);
    expect(await manager.settled(id)).toEqual({ kind: "committed" });
    expect(world.version()).toBe("3.0.0");
  });
});

describe("trouble of the surroundings", () => {
  it("is waited out, told once, and never held against the deployment", async () => {
    const world = new World();
    const { manager } = await committed(world, 1);
    world.offline = Object.assign(new Error("no route"), { code: "EHOSTUNREACH" });
    const { id } = await manager.submit(order(2, v2));
    await world.clock.advance(86_400_000);
    expect(world.version()).toBe("1.0.0");
    const waiting = (await manager.reports.pending()).filter(
      (r) => r.cause?.code === "EHOSTUNREACH",
    );
    expect(waiting.map(({ message }) => message)).toEqual([
      "waits and tries again",
      "not staged within 10m; goes on trying",
    ]);
    world.offline = undefined;
    await world.clock.advance(3_600_000);
    expect(await manager.settled(id)).toEqual({ kind: "committed" });
    expect(manager.state.bad).toEqual([]);
  });

  it("that cannot go away ends the try before anything is stopped", async () => {
    const world = new World();
    const { manager } = await committed(world, 1);
    world.offline = Object.assign(new Error("other bytes"), {
      code: "ERR_CAPSULE_DIGEST_MISMATCH",
    });
    const { id } = await manager.submit(order(2, v2));
    await world.clock.advance(1_000);
    expect(await manager.settled(id)).toMatchObject({
      kind: "reverted",
      cause: { code: "ERR_CAPSULE_DIGEST_MISMATCH" },
    });
    expect(world.log).toEqual(["start app 1.0.0 Hello"]);
  });
});

describe("a newer deployment", () => {
  it.each([
    ["while the other is staged", 0, true],
    ["on trial", 5_000, false],
    ["on probation", 20_000, false],
  ])("takes over %s", async (_when, afterMs, offline) => {
    const world = new World();
    const { manager } = await committed(world, 1);
    if (offline) world.offline = Object.assign(new Error("no route"), { code: "EHOSTUNREACH" });
    const older = await manager.submit(order(2, v2));
    await world.clock.advance(afterMs);
    const newer = await manager.submit(order(3, v3));
    world.offline = undefined;
    await world.clock.advance(3_600_000);
    const ended = await manager.settled(older.id);
    expect(ended.kind).toBe(afterMs === 20_000 ? "committed" : "superseded");
    expect(await manager.settled(newer.id)).toEqual({ kind: "committed" });
    expect(world.version()).toBe("3.0.0");
    expect(world.running.size).toBe(1);
  });

  it("replaces one that waits", async () => {
    const world = new World();
    const { manager } = await committed(world, 1);
    const ids = await Promise.all([v2, v3, v1].map((d, i) => manager.submit(order(i + 2, d))));
    await world.clock.advance(3_600_000);
    const outcomes = await Promise.all(ids.map(({ id }) => manager.settled(id)));
    expect(outcomes.map(({ kind }) => kind)).toEqual(["superseded", "superseded", "unchanged"]);
    expect(world.version()).toBe("1.0.0");
  });
});

describe("an order", () => {
  it("that is not signed by whom the device trusts is refused and told once", async () => {
    const world = new World();
    const { manager } = await committed(world, 1);
    const forged = { ...v2, name: "forged" };
    const { id } = await manager.submit(order(2, forged));
    await manager.submit(order(2, forged));
    expect(await manager.settled(id)).toMatchObject({
      kind: "refused",
      code: "ERR_TRUST_SIGNATURE",
    });
    expect(manager.state.assignment).toBe(1);
    const told = (await manager.reports.pending()).filter(({ state }) => state === "refused");
    expect(told).toHaveLength(1);
  });

  it("older than one that was taken, or for something else under its number, is refused", async () => {
    const world = new World();
    const { manager } = await committed(world, 5);
    for (const again of [order(4, v2), order(5, v2)]) {
      const { id } = await manager.submit(again);
      const outcome = await manager.settled(id).catch(() => undefined);
      expect([outcome?.kind, world.version()]).not.toContain("2.0.0");
    }
    const { id } = await manager.submit(order(4, v2));
    expect(await manager.settled(id)).toMatchObject({ code: "ERR_DEPLOYMENT_ASSIGNMENT_OLD" });
    expect(world.log).toEqual(["start app 1.0.0 Hello"]);
  });
});

describe("waiting for an ending", () => {
  it("ends with the signal's reason, and the deployment goes on", async () => {
    const world = new World();
    const { manager } = await world.boot();
    const { id } = await manager.submit(order(1, v1));
    const abort = new AbortController();
    const waiting = expect(manager.settled(id, { signal: abort.signal })).rejects.toThrow("enough");
    abort.abort(new Error("enough"));
    await waiting;
    await world.clock.advance(3_600_000);
    expect(await manager.settled(id)).toEqual({ kind: "committed" });
  });

  it("for something unknown, or of a closed manager, is an error", async () => {
    const world = new World();
    const { manager } = await world.boot();
    await expect(manager.settled("9")).rejects.toMatchObject({ code: "ERR_DEPLOYMENT_UNKNOWN" });
    await manager[Symbol.asyncDispose]();
    await manager[Symbol.asyncDispose]();
    await expect(manager.submit(order(1, v1))).rejects.toMatchObject({
      code: "ERR_DEPLOYMENT_CLOSED",
    });
    expect(world.clock.sleeping).toBe(0);
  });
});
