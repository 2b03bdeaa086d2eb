import { describe, expect, it } from "vitest";
import { formatDuration, formatSize, nearest, parseDuration, parseSize } from "../src/index.ts";

describe("durations", () => {
  it.each([
    ["500ms", 500],
    ["10s", 10_000],
    ["1.5s", 1_500],
    ["5m", 300_000],
    ["1h30m", 5_400_000],
    ["2d", 172_800_000],
    ["0s", 0],
  ])("%s is %d ms", (text, ms) => expect(parseDuration(text)).toBe(ms));

  it.each(["", "10", "s", "10 s", "-1s", "1m1h", "1e3s", "401d", "5S", "1.5m"])(
    "%j is none",
    (text) => expect(parseDuration(text)).toBeUndefined(),
  );

  it.each([
    [340, "340ms"],
    [4_250, "4.3s"],
    [42_000, "42s"],
    [60_000, "1m"],
    [5_430_000, "1h 30m"],
    [86_400_000, "1d"],
  ])("%d ms reads %s", (ms, text) => expect(formatDuration(ms)).toBe(text));
});

describe("sizes", () => {
  it.each([
    ["512B", 512],
    ["600MB", 600e6],
    ["600MiB", 600 * 2 ** 20],
    ["1.5GB", 1.5e9],
  ])("%s is %d bytes", (text, bytes) => expect(parseSize(text)).toBe(bytes));

  it.each(["", "600", "600mb", "-1B", "1e3B", "9999999TB"])("%j is none", (text) =>
    expect(parseSize(text)).toBeUndefined(),
  );

  it.each([
    [42, "42 B"],
    [3_140_000, "3.1 MB"],
    [212_000_000, "212 MB"],
  ])("%d bytes read %s", (bytes, text) => expect(formatSize(bytes)).toBe(text));
});

describe("nearest", () => {
  it.each([
    ["heatlh", "health"],
    ["Capsule", "capsules"],
    ["verion", "version"],
  ])("%s was meant to be %s", (word, meant) => {
    expect(nearest(word, ["health", "capsules", "version", "name"])).toBe(meant);
  });

  it("does not guess where nothing is near", () => {
    expect(nearest("bridge", ["health", "capsules"])).toBeUndefined();
    expect(nearest("x", [])).toBeUndefined();
  });
});
