import { describe, expect, it } from "vitest";
import { deploymentOf, identityOf, order, World } from "./world.ts";

const hour = 3_600_000;

/** A device on which 1.0.0 of these uses is committed. */
async function committed(world: World, uses: readonly string[] = ["app"]) {
  const agent = await world.boot();
  const { id } = await agent.manager.submit(order(1, deploymentOf("1.0.0", { uses: [...uses] })));
  await world.clock.advance(hour);
  expect(await agent.manager.settled(id)).toEqual({ kind: "committed" });
  return agent;
}

/** The digest of the capsule of a use in a version. */
function capsuleOf(use: string, version: string) {
  const digest = deploymentOf(version, { uses: [use] }).capsules[use]?.capsule.digest;
  if (!digest) throw new Error("no such use");
  return digest;
}

describe("two orders at once", () => {
  it("carry out the plan of the one that is begun, not of the other", async () => {
    const world = new World();
    const { manager } = await committed(world);
    const two = deploymentOf("3.0.0", { uses: ["app", "map"] });
    await Promise.all([
      manager.submit(order(2, deploymentOf("2.0.0"))),
      manager.submit(order(3, two)),
    ]);
    await world.clock.advance(hour);
    expect(await manager.settled("3")).toEqual({ kind: "committed" });
    expect(world.present.has(capsuleOf("map", "3.0.0"))).toBe(true);
    expect([world.version("app"), world.version("map")]).toEqual(["3.0.0", "3.0.0"]);
  });
});

describe("going back", () => {
  it("brings back every use that it can, also when one is damaged", async () => {
    const world = new World();
    const { manager } = await committed(world, ["a", "b", "c"]);
    world.damaged.add(capsuleOf("c", "1.0.0"));
    world.nature("2.0.0", "unhealthy", "a");
    await manager.submit(order(2, deploymentOf("2.0.0", { uses: ["a", "b", "c"] })));
    await world.clock.advance(hour);
    expect(["a", "b", "c"].map((use) => world.version(use))).toEqual(["1.0.0", "1.0.0", undefined]);
  });

  it("that gives way to a newer deployment leaves nothing of it behind", async () => {
    const world = new World();
    const { manager } = await committed(world, ["app"]);
    world.damaged.add(capsuleOf("app", "1.0.0"));
    world.nature("2.0.0", "unhealthy", "app");
    await manager.submit(order(2, deploymentOf("2.0.0", { uses: ["aaa", "app"] })));
    await world.clock.advance(60_000);
    await manager.submit(order(3, deploymentOf("3.0.0", { uses: ["app"] })));
    await world.clock.advance(hour);
    expect(await manager.settled("3")).toEqual({ kind: "committed" });
    expect([...world.running.keys()]).toEqual(["app"]);
    expect(world.version()).toBe("3.0.0");
  });

  it("is written down whatever text a port gives as evidence", async () => {
    const world = new World();
    const { manager } = await committed(world);
    world.noise = "\u{1f916}".repeat(5_000);
    world.nature("2.0.0", "will not start");
    const { id } = await manager.submit(order(2, deploymentOf("2.0.0")));
    await world.clock.advance(hour);
    expect(await manager.settled(id)).toMatchObject({ kind: "reverted", to: "1.0.0" });
    const again = await manager.submit(order(3, deploymentOf("2.0.0")));
    expect(await manager.settled(again.id)).toMatchObject({ code: "ERR_DEPLOYMENT_KNOWN_BAD" });
    const reports = await manager.reports.pending();
    for (const { message = "", cause } of reports) {
      expect(message.length).toBeLessThanOrEqual(4_096);
      expect(cause?.message.isWellFormed() ?? true).toBe(true);
    }
  });
});

describe("a boot", () => {
  it("starts every use that it can, and tells of the one that it cannot", async () => {
    const world = new World();
    const first = await committed(world, ["app", "map"]);
    await first.manager[Symbol.asyncDispose]();
    world.running.clear();
    world.nature("1.0.0", "will not start", "app");
    const { manager } = await world.boot();
    await world.clock.advance(hour);
    expect([world.version("app"), world.version("map")]).toEqual([undefined, "1.0.0"]);
    const told = (await manager.reports.pending()).filter(
      (r) => r.cause?.code === "ERR_CAPSULE_START",
    );
    expect(told.map(({ state }) => state)).toEqual(["committed"]);
    world.nature("1.0.0", "healthy", "app");
    await world.clock.advance(60_000);
    expect(world.version("app")).toBe("1.0.0");
  });

  it("on probation goes back when what is on probation cannot be started", async () => {
    const world = new World();
    const first = await committed(world);
    await first.manager.submit(order(2, deploymentOf("2.0.0")));
    await world.clock.advance(20_000);
    await first.manager[Symbol.asyncDispose]();
    world.running.clear();
    world.nature("2.0.0", "will not start");
    const { manager } = await world.boot();
    await world.clock.advance(120_000);
    expect(await manager.settled("2")).toMatchObject({ kind: "reverted", to: "1.0.0" });
    expect(world.version()).toBe("1.0.0");
  });
});

describe("an order for what should run", () => {
  it("mends what does not", async () => {
    const world = new World();
    const first = await committed(world);
    await first.manager[Symbol.asyncDispose]();
    world.running.clear();
    world.present.clear();
    world.nature("1.0.0", "will not start");
    const { manager } = await world.boot();
    await world.clock.advance(1_000);
    world.nature("1.0.0", "healthy");
    const { id } = await manager.submit(order(2, deploymentOf("1.0.0")));
    await world.clock.advance(hour);
    expect(["committed", "unchanged"]).toContain((await manager.settled(id)).kind);
    expect(world.present.has(capsuleOf("app", "1.0.0"))).toBe(true);
    expect(world.version()).toBe("1.0.0");
  });

  it("never makes it known as bad", async () => {
    const world = new World();
    const { manager } = await committed(world);
    world.nature("2.0.0", "never");
    await manager.submit(order(2, deploymentOf("2.0.0")));
    await world.clock.advance(1_000);
    world.nature("1.0.0", "unhealthy");
    await manager.submit(order(3, deploymentOf("1.0.0")));
    await world.clock.advance(hour);
    expect(manager.state.bad.map(({ digest }) => digest)).not.toContain(
      identityOf(deploymentOf("1.0.0")),
    );
    expect(world.version()).toBe("1.0.0");
  });
});

describe("a bad deployment", () => {
  it("is refused also while it is still being undone", async () => {
    const world = new World();
    const { manager } = await committed(world);
    world.damaged.add(capsuleOf("app", "1.0.0")); // so that undoing takes time
    world.nature("2.0.0", "unhealthy");
    await manager.submit(order(2, deploymentOf("2.0.0")));
    await world.clock.advance(10_000);
    expect(manager.state.attempt?.phase).toBe("undoing");
    const { id } = await manager.submit(order(3, deploymentOf("2.0.0")));
    expect(await manager.settled(id)).toMatchObject({ code: "ERR_DEPLOYMENT_KNOWN_BAD" });
  });

  it("on probation is taken back before a newer one is begun", async () => {
    const world = new World();
    const { manager } = await committed(world);
    await manager.submit(order(2, deploymentOf("2.0.0")));
    await world.clock.advance(20_000);
    world.failingChecks.set("app", ["http"]);
    world.nature("3.0.0", "unhealthy");
    await manager.submit(order(3, deploymentOf("3.0.0")));
    await world.clock.advance(hour);
    expect(await manager.settled("2")).toMatchObject({ kind: "superseded" });
    expect(world.version()).toBe("1.0.0");
  });
});

describe("a use that fails while another settles", () => {
  it("fails the trial", async () => {
    const world = new World();
    const { manager } = await committed(world, ["a", "b"]);
    world.nature("2.0.0", "never", "b");
    await manager.submit(order(2, deploymentOf("2.0.0", { uses: ["a", "b"] })));
    await world.clock.advance(60_000);
    world.failing.add("a");
    await world.clock.advance(5_000);
    expect(await manager.settled("2")).toMatchObject({ kind: "reverted", cause: { target: "a" } });
  });
});

describe("an order that was taken", () => {
  it("is not refused when it is seen again after it expired", async () => {
    const world = new World();
    const { manager } = await committed(world);
    world.expired = true;
    const { id } = await manager.submit(order(1, deploymentOf("1.0.0")));
    expect(await manager.settled(id)).toEqual({ kind: "committed" });
    const states = (await manager.reports.pending()).map(({ state }) => state);
    expect(states).not.toContain("refused");
  });
});

describe("an agent that stood still", () => {
  it("gives the time back in which nobody looked", async () => {
    const world = new World();
    world.nature("1.0.0", "never");
    const { manager } = await world.boot();
    await manager.submit(order(1, deploymentOf("1.0.0")));
    await world.clock.advance(1_000);
    expect(manager.state.attempt?.phase).toBe("trial");
    await world.clock.stall(600_000);
    await world.clock.advance(200_000);
    expect(manager.state.attempt?.phase).toBe("trial");
    await world.clock.advance(110_000);
    expect(await manager.settled("1")).toMatchObject({ kind: "reverted" });
  });
});

describe("what is damaged on the disk", () => {
  it("is fetched again when it is deployed again", async () => {
    const world = new World();
    const first = await committed(world);
    await first.manager[Symbol.asyncDispose]();
    world.running.clear();
    world.damaged.add(capsuleOf("app", "1.0.0"));
    world.nature("1.0.0", "will not start");
    const { manager } = await world.boot();
    await world.clock.advance(1_000);
    await manager.submit(order(2, deploymentOf("1.0.0")));
    await world.clock.advance(1);
    expect(manager.state.attempt?.plan.bytesToFetch).toBe(1_000);
  });
});

describe("the outbox", () => {
  it("counts on beyond what the platform remembers of a store that was lost", async () => {
    const world = new World();
    const { manager } = await committed(world);
    const { reports } = manager;
    const before = await reports.pending();
    expect(await reports.acknowledge(5_000, before.at(-1)?.seq ?? 0)).toBe(false);
    const again = await reports.pending();
    expect(again.map(({ state }) => state)).toEqual(before.map(({ state }) => state));
    expect(again[0]?.seq).toBe(5_001);
    expect(await reports.acknowledge(5_002, again.at(-1)?.seq ?? 0)).toBe(true);
    expect((await reports.pending())[0]?.seq).toBe(5_003);
  });
});
