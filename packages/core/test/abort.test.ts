import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { untilAborted } from "../src/index.ts";

const reason = new Error("enough");

describe("untilAborted", () => {
  it("is the promise itself where there is no signal", async () => {
    await expect(untilAborted(Promise.resolve(1), undefined)).resolves.toBe(1);
    await expect(untilAborted(Promise.reject(reason), undefined)).rejects.toBe(reason);
  });

  it("comes to what the promise comes to", async () => {
    const { signal } = new AbortController();
    const broken = new Error("broken");
    await expect(untilAborted(Promise.resolve(1), signal)).resolves.toBe(1);
    await expect(untilAborted(Promise.reject(broken), signal)).rejects.toBe(broken);
  });

  it("ends the waiting with the reason of the signal", async () => {
    const abort = new AbortController();
    const waiting = untilAborted(new Promise(() => {}), abort.signal);
    abort.abort(reason);
    await expect(waiting).rejects.toBe(reason);
  });

  it("does not begin to wait with a signal that is aborted already", async () => {
    const signal = AbortSignal.abort(reason);
    await expect(untilAborted(new Promise(() => {}), signal)).rejects.toBe(reason);
    await expect(untilAborted(Promise.resolve(1), signal)).rejects.toBe(reason);
    expect(getEventListeners(signal, "abort")).toEqual([]);
  });

  it("leaves no listener behind, however it ends", async () => {
    const abort = new AbortController();
    const { signal } = abort;
    const listeners = (): number => getEventListeners(signal, "abort").length;
    const work = Promise.withResolvers<number>();
    const waiting = untilAborted(work.promise, signal);
    expect(listeners()).toBe(1);
    work.resolve(1);
    await waiting;
    expect(listeners()).toBe(0);
    await expect(untilAborted(Promise.reject(reason), signal)).rejects.toBe(reason);
    expect(listeners()).toBe(0);
    const aborted = untilAborted(new Promise(() => {}), signal);
    abort.abort(reason);
    await expect(aborted).rejects.toBe(reason);
    expect(listeners()).toBe(0);
  });

  it("has heard of work that fails after the abort", async () => {
    const unheard: unknown[] = [];
    const onUnheard = (error: unknown): void => void unheard.push(error);
    process.on("unhandledRejection", onUnheard);
    try {
      const work = Promise.withResolvers<never>();
      const abort = new AbortController();
      const waiting = untilAborted(work.promise, abort.signal);
      abort.abort(reason);
      await expect(waiting).rejects.toBe(reason);
      work.reject(new Error("too late"));
      const late = Promise.reject(new Error("too late"));
      await expect(untilAborted(late, abort.signal)).rejects.toBe(reason);
      // Unheard rejections are told when the microtasks are done.
      await new Promise((resolve) => setImmediate(resolve));
      expect(unheard).toEqual([]);
    } finally {
      process.off("unhandledRejection", onUnheard);
    }
  });
});
