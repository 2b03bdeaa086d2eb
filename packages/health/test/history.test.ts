import { describe, expect, it } from "vitest";
import type { CheckRecord } from "../src/check.ts";
import { History, statisticsOf } from "../src/history.ts";
import { fail, pass, unknown } from "./fakes.ts";

const record = (letter: string, latencyMs = 1): CheckRecord => ({
  ...(letter === "P" ? pass : letter === "F" ? fail() : unknown()),
  at: 0,
  latencyMs,
});
const records = (letters: string): CheckRecord[] => [...letters].map((each) => record(each));

describe("the history", () => {
  it("keeps the last hundred, and counts all", () => {
    const history = new History();
    for (let at = 0; at < 250; at++) history.add({ ...record(at % 2 ? "P" : "F"), at });
    expect(history.last()).toHaveLength(100);
    expect(history.last(2).map(({ at }) => at)).toEqual([248, 249]);
    expect(history.last(0)).toEqual([]);
    expect(history.counters).toEqual({ pass: 125, fail: 125, unknown: 0 });
  });
});

describe("statistics", () => {
  it("say nothing where nothing is known", () => {
    const nothing = { availability: undefined, latencyMs: undefined, flaps: 0 };
    expect(statisticsOf([[]])).toEqual({ results: 0, ...nothing });
    expect(statisticsOf([records("UU")])).toEqual({ results: 2, ...nothing });
  });

  it("leave out what could not tell", () => {
    expect(statisticsOf([records("PPUUPF")]).availability).toBe(0.75);
  });

  it("count failures that followed upon a pass, each check by itself", () => {
    expect(statisticsOf([records("PFFPUFP"), records("FP"), records("PF")]).flaps).toBe(3);
  });

  it("give latencies of passes that were measured", () => {
    const passes = Array.from({ length: 100 }, (_, at) => record("P", 100 - at));
    expect(statisticsOf([[...passes, record("F", 9_999)]]).latencyMs).toEqual({
      p50: 50,
      p95: 95,
      p99: 99,
    });
    expect(statisticsOf([[record("P", 7)]]).latencyMs).toEqual({ p50: 7, p95: 7, p99: 7 });
  });
});
