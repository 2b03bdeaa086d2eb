import { ManualClock } from "@roboticks/core/testing";
import { describe, expect, it } from "vitest";
import type { ProcessEntry, ProcessTable } from "../src/processes/table.ts";
import { endTree, membersOf, type Root } from "../src/tree.ts";

const root: Root = { process: { pid: 100, start: "1000" } };

function entry(pid: number, parent: number, session: number, more: Partial<ProcessEntry> = {}) {
  return { pid, parent, session, group: session, start: "1000", zombie: false, ...more };
}

const leader = entry(100, 50, 100);
const strangers = [entry(1, 0, 1), entry(50, 1, 50), entry(77, 1, 77)];
const pids = (...args: Parameters<typeof membersOf>): number[] =>
  membersOf(...args).map(({ pid }) => pid);

describe("the tree of a program", () => {
  it("is its session, whoever the parents are, and its descendants outside of it", () => {
    const daemonised = entry(120, 1, 100, { group: 120 });
    const escaped = entry(130, 100, 130);
    const grandchild = entry(131, 130, 130);
    expect(pids([...strangers, leader, daemonised, escaped, grandchild], root)).toEqual([
      100, 120, 130, 131,
    ]);
  });

  it("holds those who were seen in it once, but not who got their number since", () => {
    const known = [
      { pid: 130, start: "1000" },
      { pid: 131, start: "1000" },
    ];
    const all = [...strangers, entry(130, 1, 130), entry(131, 1, 131, { start: "2000" })];
    expect(pids(all, root, known)).toEqual([130]);
  });

  it("has no zombies", () => {
    expect(pids([{ ...leader, zombie: true }, entry(101, 1, 100)], root)).toEqual([101]);
  });

  it("is not whoever has the number of the program now", () => {
    const other = entry(100, 1, 100, { start: "9000" });
    expect(pids([...strangers, other, entry(101, 100, 100, { start: "9001" })], root)).toEqual([]);
  });

  it("ended unwatched: is only a session with a member older than that end", () => {
    const old = entry(101, 1, 100, { start: "1500" });
    const young = entry(102, 1, 100, { start: "3000" });
    const ended = { ...root, endedUnwatchedAtMs: 20_000 }; // tick 2,000
    expect(pids([...strangers, old, young], ended)).toEqual([101, 102]);
    expect(pids([...strangers, young], ended)).toEqual([]);
    expect(pids([...strangers, old], { ...root, endedUnwatchedAtMs: "unknown" })).toEqual([]);
  });

  it("never holds the process that looks", () => {
    const self = entry(process.pid, 100, 100);
    expect(pids([leader, self, entry(555, process.pid, 555)], root)).toEqual([100]);
  });
});

describe("ending a tree", () => {
  // A pid beyond all that a system gives out: signals to it reach nobody.
  const stuck = { pid: 2 ** 30, start: "1000" };

  function tableOf(all: () => ProcessEntry[]): ProcessTable {
    return {
      all: async () => all(),
      bootId: async () => "boot",
      find: async (pid) => all().find((one) => one.pid === pid),
      command: async () => "",
    };
  }

  it("gives up on a process that outlives SIGKILL by 10 s", async () => {
    const clock = new ManualClock();
    const { signal } = new AbortController();
    const table = tableOf(() => [entry(stuck.pid, 1, stuck.pid)]);
    const ended = endTree({ process: stuck }, { table, clock, signal });
    const refused = expect(ended).rejects.toMatchObject({ code: "ERR_SUPERVISOR_STOP_FAILED" });
    await clock.advance(11_000);
    await refused;
  });

  it("waits no longer than the tree lives, grace or not", async () => {
    const clock = new ManualClock();
    const { signal } = new AbortController();
    let all = [entry(stuck.pid, 1, stuck.pid), entry(stuck.pid + 1, 1, stuck.pid)];
    const table = tableOf(() => all);
    const program = Promise.withResolvers<void>();
    const gently = { signal: "SIGTERM", graceMs: 10_000, ended: program.promise } as const;
    const ended = endTree({ process: stuck }, { table, clock, signal, gently });
    await clock.advance(1_000);
    all = all.slice(1);
    program.resolve();
    await clock.advance(1_000);
    all = [];
    await clock.advance(100);
    await ended;
    expect(clock.monotonic()).toBe(2_100);
  });
});
