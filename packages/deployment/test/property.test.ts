import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Agent, deploymentOf, order, World } from "./world.ts";

const natures = ["healthy", "unhealthy", "never", "unknown", "will not start"] as const;

/** What can happen to a device, in any order. */
const happening = fc.oneof(
  fc.record({
    kind: fc.constant("submit" as const),
    version: fc.constantFrom("1.0.0", "2.0.0", "3.0.0"),
    nature: fc.constantFrom(...natures),
    retry: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("passTime" as const), ms: fc.integer({ min: 0, max: 400_000 }) }),
  fc.record({
    kind: fc.constant("reboot" as const),
    atWrite: fc.integer({ min: 1, max: 12 }),
    written: fc.boolean(),
    powerLost: fc.boolean(),
  }),
  fc.record({ kind: fc.constant("restart" as const) }),
  fc.record({ kind: fc.constant("loseNetwork" as const), lost: fc.boolean() }),
);

const noRoute = (): Error => Object.assign(new Error("no route"), { code: "EHOSTUNREACH" });

describe("whatever happens to a device", () => {
  it("it ends at rest, running just what its journal says", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 12 }), async (happenings) => {
        const world = new World();
        let agent: Agent = await world.boot();
        let assignment = 0;
        for (const event of happenings) {
          switch (event.kind) {
            case "submit": {
              world.nature(event.version, event.nature);
              // Cut off in the middle, it is asked for again by the next order.
              await agent.manager
                .submit(order(++assignment, deploymentOf(event.version), event.retry))
                .catch(() => {});
              break;
            }
            case "passTime":
              await world.clock.advance(event.ms);
              break;
            case "reboot":
              agent.life.dead = true;
              if (event.powerLost) world.running.clear();
              agent = await world
                .boot({ at: event.atWrite, written: event.written })
                .catch(() => world.boot());
              break;
            case "restart":
              await agent.manager[Symbol.asyncDispose]().catch(() => {}); // it may be dead already
              agent = await world.boot();
              break;
            case "loseNetwork":
              world.offline = event.lost ? noRoute() : undefined;
          }
        }
        world.offline = undefined;
        agent.life.dead = true;
        const last = await world.boot();
        await world.clock.advance(3_600_000);

        const { state } = last.manager;
        expect(state.attempt).toBeUndefined();
        expect(state.next).toBeUndefined();
        const wanted = state.running?.deployment.version;
        const canStart = wanted && world.natureOf(wanted) !== "will not start";
        expect(world.version()).toBe(canStart || world.running.size > 0 ? wanted : undefined);
        // Nothing that could be needed was cleaned away.
        for (const kept of [state.running, ...state.previous]) {
          const digest = kept?.deployment.capsules.app?.capsule.digest;
          if (digest) expect(world.present.has(digest)).toBe(true);
        }
        await last.manager[Symbol.asyncDispose]();
      }),
      { numRuns: Number(process.env.RUNS ?? 25) },
    );
  }, 600_000);
});
