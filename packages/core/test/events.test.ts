import { describe, expect, it, vi } from "vitest";
import { Events, RoboticksError, silentLogger, toError } from "../src/index.ts";

describe("events", () => {
  it("reach listeners in order until these are disposed", () => {
    const events = new Events<{ moved: number }>();
    const heard: string[] = [];
    const first = events.on("moved", (to) => heard.push(`a${to}`));
    events.on("moved", (to) => heard.push(`b${to}`));
    events.emit("moved", 1);
    first[Symbol.dispose]();
    events.emit("moved", 2);
    expect(heard).toEqual(["a1", "b1", "b2"]);
  });

  it("survive a listener that throws, and log it", () => {
    const error = vi.fn();
    const events = new Events<{ moved: number }>({ logger: { ...silentLogger, error } });
    const heard: number[] = [];
    events.on("moved", () => {
      throw new Error("mine");
    });
    events.on("moved", (to) => heard.push(to));
    events.emit("moved", 1);
    expect(heard).toEqual([1]);
    expect(error).toHaveBeenCalledOnce();
  });
});

describe("errors", () => {
  it("keep code and cause", () => {
    const cause = new Error("below");
    const error = new RoboticksError("ERR_X", "above", { cause });
    expect(error).toMatchObject({ code: "ERR_X", message: "above", cause });
  });

  it("are made of whatever was thrown", () => {
    expect(toError("text")).toMatchObject({ message: "text", cause: "text" });
  });
});
