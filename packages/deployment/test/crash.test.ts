import { describe, expect, it } from "vitest";
import { type Crash, deploymentOf, order, World } from "./world.ts";

const v1 = deploymentOf("1.0.0", { probation: "1m" });
const v2 = deploymentOf("2.0.0", { probation: "1m" });

/** A device that runs 1.0.0, and how often its agent writes while it goes on to 2.0.0. */
async function update(nature: "healthy" | "unhealthy", crash?: Crash) {
  const world = new World();
  world.nature("2.0.0", nature);
  const first = await world.boot();
  await first.manager.submit(order(1, v1));
  await world.clock.advance(600_000);
  await first.manager[Symbol.asyncDispose]();

  const second = await world.boot(crash);
  await second.manager.submit(order(2, v2)).catch(() => {}); // cut off in the middle of it
  await world.clock.advance(600_000);
  return { world, second };
}

async function countWrites(nature: "healthy" | "unhealthy"): Promise<number> {
  const { second } = await update(nature);
  return second.life.writes;
}

describe.each(["healthy", "unhealthy"] as const)("an update to what is %s", (nature) => {
  it("ends in one version, whichever write the power was cut at", async () => {
    const writes = await countWrites(nature);
    expect(writes).toBeGreaterThan(5);
    for (let at = 1; at <= writes; at++) {
      for (const written of [false, true]) {
        const where = `write ${at} of ${writes}, ${written ? "after" : "before"}`;
        const { world } = await update(nature, { at, written });
        const third = await world.boot();
        // The platform goes on saying what it wants.
        const { id } = await third.manager.submit(order(2, v2));
        await world.clock.advance(600_000);
        const outcome = await third.manager.settled(id);
        const version = world.version();
        if (nature === "healthy") {
          expect([where, outcome.kind, version]).toEqual([where, "committed", "2.0.0"]);
        } else {
          expect([where, outcome.kind, version]).toEqual([where, "reverted", "1.0.0"]);
        }
        expect(world.running.size, where).toBe(1);
        expect(third.manager.state.attempt, where).toBeUndefined();
      }
    }
  });
});

describe("a trial that is interrupted", () => {
  it("goes on with the time that was left", async () => {
    const world = new World();
    world.nature("1.0.0", "never");
    const first = await world.boot();
    await first.manager.submit(order(1, v1));
    await world.clock.advance(200_000);
    await first.manager[Symbol.asyncDispose]();
    await world.clock.advance(86_400_000); // switched off: no time is spent
    const second = await world.boot();
    expect(second.manager.state.attempt?.remainingMs).toBe(100_000);
    await world.clock.advance(99_000);
    expect(second.manager.state.attempt?.phase).toBe("trial");
    await world.clock.advance(2_000);
    expect(await second.manager.settled("1")).toMatchObject({ kind: "reverted" });
  });

  it("is undone after the third time, without calling the release bad", async () => {
    const world = new World();
    world.nature("2.0.0", "never");
    const first = await world.boot();
    await first.manager.submit(order(1, v1));
    await world.clock.advance(3_600_000);
    await first.manager.submit(order(2, v2));
    await world.clock.advance(1_000);
    first.life.dead = true;
    for (const interruption of [1, 2]) {
      const again = await world.boot();
      await world.clock.advance(1_000);
      expect(again.manager.state.attempt).toMatchObject({
        phase: "trial",
        interruptions: interruption,
      });
      again.life.dead = true;
    }
    const last = await world.boot();
    await world.clock.advance(1_000);
    expect(await last.manager.settled("2")).toMatchObject({
      kind: "reverted",
      cause: { code: "ERR_DEPLOYMENT_INTERRUPTED" },
    });
    expect(last.manager.state.bad).toEqual([]);
    expect(world.version()).toBe("1.0.0");
  });

  it("in order is no interruption", async () => {
    const world = new World();
    const agent = await world.boot();
    await agent.manager.submit(order(1, v1));
    await world.clock.advance(1_000);
    await agent.manager[Symbol.asyncDispose]();
    const next = await world.boot();
    await world.clock.advance(1_000);
    expect(next.manager.state.attempt).toMatchObject({ phase: "trial", interruptions: 0 });
  });
});

describe("a boot", () => {
  it("starts what ran, without the network", async () => {
    const world = new World();
    const first = await world.boot();
    await first.manager.submit(order(1, v1));
    await world.clock.advance(3_600_000);
    await first.manager[Symbol.asyncDispose]();
    world.running.clear();
    world.offline = new Error("no network");
    const second = await world.boot();
    await world.clock.advance(0);
    expect(world.version()).toBe("1.0.0");
    await second.manager[Symbol.asyncDispose]();
  });

  it("finds what runs and leaves it alone", async () => {
    const world = new World();
    const first = await world.boot();
    await first.manager.submit(order(1, v1));
    await world.clock.advance(3_600_000);
    first.life.dead = true;
    await world.boot();
    await world.clock.advance(60_000);
    expect(world.log).toEqual(["start app 1.0.0 Hello"]);
  });
});
