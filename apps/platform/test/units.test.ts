import { ManualClock } from "@roboticks/core/testing";
import { describe, expect, test } from "vitest";
import { namesEtag, rangeOf } from "../src/requests.ts";
import { matchesSecret, Nonces, sha256Hex } from "../src/secrets.ts";
import { Wakeups } from "../src/wakeups.ts";

const never = new AbortController().signal;

describe("wake-ups", () => {
  test("what is there is given at once", async () => {
    const wakeups = new Wakeups(new ManualClock());
    expect(await wakeups.waitFor("a", 60_000, never, async () => 1)).toBe(1);
  });

  test("a wait ends with the next wake-up that brought something", async () => {
    const clock = new ManualClock();
    const wakeups = new Wakeups(clock);
    let value: string | undefined;
    let reads = 0;
    const waited = wakeups.waitFor("a", 60_000, never, async () => {
      reads++;
      return value;
    });
    await clock.advance(1);
    wakeups.wake("a");
    wakeups.wake("b");
    await clock.advance(1);
    expect(reads).toBe(2);
    value = "new";
    wakeups.wake("a");
    expect(await waited).toBe("new");
    expect(clock.sleeping).toBe(0);
  });

  test("a change between the read and the wait is not missed", async () => {
    const wakeups = new Wakeups(new ManualClock());
    let reads = 0;
    const found = await wakeups.waitFor("a", 60_000, never, async () => {
      if (reads++ === 0) {
        wakeups.wake("a");
        return undefined;
      }
      return "new";
    });
    expect(found).toBe("new");
  });

  test("time, the client's leaving and the end of the platform end a wait", async () => {
    const clock = new ManualClock();
    const wakeups = new Wakeups(clock);
    const nothing = async () => undefined;
    const left = new AbortController();
    const waits = [
      wakeups.waitFor("a", 5_000, never, nothing),
      wakeups.waitFor("a", 60_000, left.signal, nothing),
      wakeups.waitFor("a", 60_000, never, nothing),
    ];
    await clock.advance(5_000);
    expect(await waits[0]).toBeUndefined();
    left.abort();
    expect(await waits[1]).toBeUndefined();
    wakeups.close();
    expect(await waits[2]).toBeUndefined();
    expect(await wakeups.waitFor("a", 60_000, never, nothing)).toBeUndefined();
    expect(clock.sleeping).toBe(0);
  });
});

describe("nonces", () => {
  test("one is good once, for its device and for a minute", async () => {
    const clock = new ManualClock();
    const nonces = new Nonces(clock);
    const nonce = nonces.make("a");
    expect(nonces.isGood("a", nonce)).toBe(true);
    expect(nonces.isGood("b", nonce)).toBe(false);
    expect(new Nonces(clock).isGood("a", nonce)).toBe(false);
    expect(nonces.use("a", nonce)).toBe("used");
    expect(nonces.use("a", nonce)).toBe("replayed");
    await clock.advance(60_001);
    expect(nonces.isGood("a", nonce)).toBe(false);
  });

  test("a longer life cannot be written into it", () => {
    const nonces = new Nonces(new ManualClock());
    const [, ...rest] = nonces.make("a").split(".");
    expect(nonces.isGood("a", ["99999999", ...rest].join("."))).toBe(false);
    expect(nonces.isGood("a", "")).toBe(false);
    expect(nonces.isGood("a", "1.2.é")).toBe(false);
  });

  test("how many are spent in a minute is bounded", async () => {
    const clock = new ManualClock();
    const nonces = new Nonces(clock);
    for (let n = 0; n < 64; n++) expect(nonces.use("a", nonces.make("a"))).toBe("used");
    expect(nonces.use("a", nonces.make("a"))).toBe("busy");
    expect(nonces.use("b", nonces.make("b"))).toBe("used");
    await clock.advance(60_001);
    expect(nonces.use("a", nonces.make("a"))).toBe("used");
  });
});

test("a secret matches any of its hashes, and nothing else does", () => {
  const hashes = [sha256Hex("one"), sha256Hex("two")];
  expect(matchesSecret("one", hashes)).toBe(true);
  expect(matchesSecret("two", hashes)).toBe(true);
  expect(matchesSecret("three", hashes)).toBe(false);
  expect(matchesSecret("", [])).toBe(false);
});

test.for([
  ["bytes=0-3", { first: 0, last: 3 }],
  ["bytes=5-", { first: 5, last: 9 }],
  ["bytes=-4", { first: 6, last: 9 }],
  ["bytes=-40", { first: 0, last: 9 }],
  ["bytes=8-99", { first: 8, last: 9 }],
  ["bytes=0-1,4-5", undefined],
  ["bytes=4-2", undefined],
  ["bytes=-", undefined],
  ["lines=1-2", undefined],
  [undefined, undefined],
] as const)("range %s of ten bytes", ([header, range]) => {
  expect(rangeOf(header, 10)).toEqual(range);
});

test.for(["bytes=10-", "bytes=10-12", "bytes=-0"])("range %s is not there", (header) => {
  expect(() => rangeOf(header, 10)).toThrow(
    expect.objectContaining({ code: "ERR_PLATFORM_RANGE" }),
  );
});

test("an ETag is found in a list, weak or strong", () => {
  expect(namesEtag('"a"', '"a"')).toBe(true);
  expect(namesEtag('"b", W/"a"', '"a"')).toBe(true);
  expect(namesEtag("*", '"a"')).toBe(true);
  expect(namesEtag('"b"', '"a"')).toBe(false);
  expect(namesEtag(undefined, '"a"')).toBe(false);
});
