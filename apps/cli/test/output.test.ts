import { stripVTControlCharacters } from "node:util";
import { describe, expect, it } from "vitest";
import { plain, table } from "../src/output.ts";

describe("plain", () => {
  it.each([
    ["\u001b[31mred\u001b[0m", "red"],
    ["\u001b]0;another title\u0007lidar", "lidar"],
    ["\u001b]8;;http://elsewhere\u001b\\click\u001b]8;;\u001b\\", "click"],
    ["\u001b[2J\u001b[Hcleared", "cleared"],
    ["50 %\r100 %", "50 %\ufffd100 %"],
    ["one\ntwo", "one\ufffdtwo"],
    ["bell\u0007 backspace\b nul\0 c1\u0085", "bell\ufffd backspace\ufffd nul\ufffd c1\ufffd"],
    ["half an escape \u001b", "half an escape \ufffd"],
  ])("takes what a terminal would act on out of %j", (text, expected) => {
    expect(plain(text)).toBe(expected);
  });

  it("leaves everything else as it is", () => {
    const text = "Größe: 12 µm → ✓ 地図 🤖";
    expect(plain(text)).toBe(text);
  });
});

describe("table", () => {
  it("has columns as wide as they need, and no trailing blanks", () => {
    const text = table(
      ["DEVICE", "RUNS", "STATE"],
      [
        ["robot-7", "nothing", "-"],
        ["robot-12345", "delivery 1.4.2", ""],
      ],
    );
    expect(stripVTControlCharacters(text).split("\n")).toEqual([
      "DEVICE       RUNS            STATE",
      "robot-7      nothing         -",
      "robot-12345  delivery 1.4.2",
    ]);
  });
});
