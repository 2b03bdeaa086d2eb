import { once } from "node:events";
import { chmod, mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { SpecError } from "@roboticks/spec/document";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CapsuleManager, type CapsuleManagerOptions, type InstallProgress } from "../src/index.ts";
import { type TestCapsule, testCapsule } from "./archives.ts";
import { serve } from "./server.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "capsule-"));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const open = (options: Partial<CapsuleManagerOptions> = {}) =>
  CapsuleManager.open({ root, downloadRetry: { initialMs: 1 }, diskReserveBytes: 0, ...options });

/** Serves the archive to everyone, as a whole. */
const serveArchive = ({ archive }: TestCapsule) =>
  serve((_, response) => response.setHeader("content-length", archive.length).end(archive));

const nothingInstalled = async (manager: CapsuleManager) => {
  expect(await manager.list()).toEqual([]);
  expect(await readdir(join(root, "staging"))).toEqual([]);
};

describe("install", () => {
  it("fetches a capsule, and has it whole in its place", async () => {
    const hello = testCapsule();
    await using server = await serveArchive(hello);
    await using capsules = await open();
    const progress: InstallProgress[] = [];
    const capsule = await capsules.install(
      { url: `${server.url}/hello.tar.gz`, digest: hello.digest, size: hello.archive.length },
      { onProgress: (now) => progress.push(now) },
    );
    expect(capsule).toMatchObject({ name: "hello", version: "1.0.0", digest: hello.digest });
    expect(capsule.path).toBe(join(root, "capsules/hello", hello.digest.slice(7)));
    expect(await readFile(join(capsule.path, "etc/map.txt"), "utf8")).toBe("floor 2");
    expect((await stat(join(capsule.path, "bin/main"))).mode & 0o777).toBe(0o755);
    expect(progress.at(-1)).toEqual({
      receivedBytes: hello.archive.length,
      totalBytes: hello.archive.length,
    });
    expect(await readdir(join(root, "staging"))).toEqual([]);
    expect(server.requests[0]?.headers["accept-encoding"]).toBe("identity");
  });

  it("needs no network for what is there, also after a restart", async () => {
    const hello = testCapsule();
    {
      await using server = await serveArchive(hello);
      await using capsules = await open();
      await capsules.install({ url: server.url, digest: hello.digest });
    }
    await using later = await open();
    const source = { url: "http://127.0.0.1:1/gone", digest: hello.digest };
    expect(await later.install(source)).toEqual(await later.find(hello.digest));
    expect((await later.list()).map(({ name }) => name)).toEqual(["hello"]);
  });

  it("reads a local archive", async () => {
    const hello = testCapsule();
    const file = join(root, "hello.tar.gz");
    await writeFile(file, hello.archive);
    await using capsules = await open();
    const { href: url } = pathToFileURL(file);
    expect(await capsules.install({ url, digest: hello.digest })).toMatchObject({ name: "hello" });
    await expect(
      capsules.install({ url: `${url}.missing`, digest: testCapsule({ name: "b" }).digest }),
    ).rejects.toMatchObject({ code: "ERR_CAPSULE_DOWNLOAD", retryable: false });
  });

  it("shares one download among all who ask at the same time", async () => {
    const hello = testCapsule();
    await using server = await serveArchive(hello);
    await using capsules = await open();
    const source = { url: server.url, digest: hello.digest };
    const [one, two] = await Promise.all([capsules.install(source), capsules.install(source)]);
    expect(two).toEqual(one);
    expect(server.requests).toHaveLength(1);
  });

  it("goes on though a listener of its progress throws", async () => {
    const hello = testCapsule();
    await using server = await serveArchive(hello);
    await using capsules = await open();
    const onProgress = () => {
      throw new Error("a broken progress bar");
    };
    const capsule = await capsules.install(
      { url: server.url, digest: hello.digest },
      { onProgress },
    );
    expect(capsule.name).toBe("hello");
  });
});

describe("a download that fails", () => {
  const hello = testCapsule();

  it("is tried again after errors that pass, with headers that are asked for anew", async () => {
    await using server = await serve((_, response, count) => {
      if (count === 1) return response.writeHead(503).end();
      if (count === 2) return response.destroy();
      response.end(hello.archive);
    });
    await using capsules = await open();
    let asked = 0;
    const headers = async () => ({ authorization: `Bearer ${++asked}` });
    await capsules.install({ url: server.url, digest: hello.digest, headers });
    expect(server.requests.map((request) => request.headers.authorization)).toEqual([
      "Bearer 1",
      "Bearer 2",
      "Bearer 3",
    ]);
  });

  it.each([
    [404, false, 1],
    [403, false, 1],
    [401, true, 3],
    [429, true, 3],
    [500, true, 3],
  ])("with status %i is retryable: %s, tried %i times", async (status, retryable, attempts) => {
    await using server = await serve((_, response) => response.writeHead(status).end("no"));
    await using capsules = await open();
    await expect(
      capsules.install({ url: `${server.url}/a?token=5ecret`, digest: hello.digest }),
    ).rejects.toMatchObject({
      code: "ERR_CAPSULE_DOWNLOAD",
      retryable,
      message: expect.stringMatching(new RegExp(`${server.url}/a: the server answered ${status}`)),
    });
    expect(server.requests).toHaveLength(attempts);
    await nothingInstalled(capsules);
  });

  it("for want of a token is tried again", async () => {
    await using server = await serveArchive(hello);
    await using capsules = await open();
    let asked = 0;
    const headers = () => {
      if (++asked < 3) throw new Error("the platform is not there");
      return { authorization: "Bearer 3" };
    };
    await capsules.install({ url: server.url, digest: hello.digest, headers });
    expect(server.requests).toHaveLength(1);
    const never = () => Promise.reject(new Error("the platform is not there"));
    const other = { url: server.url, digest: testCapsule({ name: "b" }).digest, headers: never };
    await expect(capsules.install(other)).rejects.toMatchObject({
      code: "ERR_CAPSULE_DOWNLOAD",
      retryable: true,
      message: expect.stringContaining("the platform is not there"),
    });
  });

  it("is left alone when the server asks for a long pause", async () => {
    await using server = await serve((_, response) =>
      response.writeHead(429, { "retry-after": "600" }).end(),
    );
    await using capsules = await open();
    await expect(capsules.install({ url: server.url, digest: hello.digest })).rejects.toMatchObject(
      { retryable: true, retryAfterMs: 600_000 },
    );
    expect(server.requests).toHaveLength(1);
  });

  const half = hello.archive.subarray(0, hello.archive.length / 2);
  it.each([
    ["of known length", { "content-length": hello.archive.length }],
    ["in chunks", { "transfer-encoding": "chunked" }],
    ["that ends with its connection", { connection: "close", "transfer-encoding": "identity" }],
  ])("because its body %s was cut is no success", async (_, headers) => {
    await using server = await serve((_, response) => {
      response.writeHead(200, headers);
      response.write(half, () => response.socket?.end());
    });
    await using capsules = await open();
    await expect(capsules.install({ url: server.url, digest: hello.digest })).rejects.toMatchObject(
      { code: "ERR_CAPSULE_DOWNLOAD", retryable: true },
    );
    expect(server.requests).toHaveLength(3);
    await nothingInstalled(capsules);
  });

  it.each([
    ["before its answer", () => {}],
    ["in the middle", (response: { write(chunk: Buffer): void }) => response.write(half)],
  ])("because the server hangs %s ends", async (_, answer) => {
    await using server = await serve((_, response) => answer(response));
    await using capsules = await open({ idleTimeoutMs: 50, downloadRetry: { attempts: 1 } });
    await expect(capsules.install({ url: server.url, digest: hello.digest })).rejects.toMatchObject(
      { message: expect.stringContaining("nothing came for 50 ms") },
    );
    await nothingInstalled(capsules);
  });

  it("when nobody listens says so", async () => {
    const server = await serveArchive(hello);
    await server[Symbol.asyncDispose]();
    await using capsules = await open();
    await expect(capsules.install({ url: server.url, digest: hello.digest })).rejects.toMatchObject(
      {
        code: "ERR_CAPSULE_DOWNLOAD",
        retryable: true,
        cause: expect.objectContaining({ code: "ECONNREFUSED" }),
      },
    );
  });

  it.each([
    ["less than", hello.archive.length + 1],
    ["more than", hello.archive.length - 1],
  ])("because it has %s the size that was expected is refused", async (_, size) => {
    await using server = await serve((_, response) => response.end(hello.archive));
    await using chunked = await serve((_, response) => {
      response.write(hello.archive);
      response.end();
    });
    await using capsules = await open();
    for (const { url } of [server, chunked]) {
      await expect(capsules.install({ url, digest: hello.digest, size })).rejects.toMatchObject({
        code: "ERR_CAPSULE_DOWNLOAD",
        retryable: true,
      });
    }
    await nothingInstalled(capsules);
  });

  it("for want of a usable address is refused", async () => {
    await using capsules = await open();
    for (const url of ["ftp://example.com/a", "hello.tar.gz", ""]) {
      await expect(capsules.install({ url, digest: hello.digest })).rejects.toMatchObject({
        code: "ERR_CAPSULE_DOWNLOAD",
        retryable: false,
      });
    }
  });
});

describe("a redirect", () => {
  const hello = testCapsule();
  const headers = { authorization: "Bearer secret", "x-api-key": "secret" };

  it("to another origin is followed without the caller's headers", async () => {
    await using store = await serveArchive(hello);
    await using server = await serve((request, response) =>
      response.writeHead(302, { location: request.url === "/" ? "/next" : store.url }).end(),
    );
    await using capsules = await open();
    await capsules.install({ url: server.url, digest: hello.digest, headers });
    expect(server.requests.map((request) => request.headers["x-api-key"])).toEqual([
      "secret",
      "secret",
    ]);
    expect(JSON.stringify(store.requests[0]?.headers)).not.toContain("secret");
  });

  it("in a circle ends", async () => {
    await using server = await serve((_, response) =>
      response.writeHead(301, { location: "/" }).end(),
    );
    await using capsules = await open();
    await expect(capsules.install({ url: server.url, digest: hello.digest })).rejects.toMatchObject(
      { message: expect.stringContaining("redirects more than 5 times") },
    );
    expect(server.requests).toHaveLength(6);
  });

  it("to a file is refused", async () => {
    await using server = await serve((_, response) =>
      response.writeHead(301, { location: "file:///etc/passwd" }).end(),
    );
    await using capsules = await open();
    await expect(capsules.install({ url: server.url, digest: hello.digest })).rejects.toMatchObject(
      { code: "ERR_CAPSULE_DOWNLOAD", retryable: false },
    );
  });
});

describe("an archive that is not what was signed", () => {
  const hello = testCapsule();
  const refuse = async (
    { archive, digest }: Pick<TestCapsule, "archive" | "digest">,
    expected: object,
    attempts: number,
  ) => {
    await using server = await serve((_, response) => response.end(archive));
    await using capsules = await open();
    await expect(capsules.install({ url: server.url, digest })).rejects.toMatchObject(expected);
    expect(server.requests).toHaveLength(attempts);
    await nothingInstalled(capsules);
  };

  it("is refused when it is another capsule; tried once more", () =>
    refuse(
      { archive: testCapsule({ version: "2.0.0" }).archive, digest: hello.digest },
      { code: "ERR_CAPSULE_DIGEST_MISMATCH", retryable: false },
      2,
    ));

  it("is refused when a file has other bytes", () =>
    refuse(
      testCapsule({ files: { "bin/main": "#!a" }, tarFiles: { "bin/main": "#!b" } }),
      { code: "ERR_CAPSULE_DIGEST_MISMATCH" },
      2,
    ));

  it("is refused when it is a login page", () =>
    refuse(
      { archive: Buffer.from("<html>Welcome to our WiFi</html>"), digest: hello.digest },
      { code: "ERR_CAPSULE_ARCHIVE" },
      2,
    ));

  it("is refused when it would write elsewhere", () =>
    refuse(
      testCapsule({ files: { "bin/main": "#!a", "../up": "b" } }),
      {
        code: "ERR_CAPSULE_ARCHIVE",
        cause: expect.objectContaining({ code: "ERR_ARCHIVE_UNSAFE_PATH" }),
      },
      2,
    ));
});

describe("a manifest that cannot be used", () => {
  const refuse = async (capsule: TestCapsule, expected: object) => {
    await using server = await serve((_, response) => response.end(capsule.archive));
    await using capsules = await open();
    await expect(
      capsules.install({ url: server.url, digest: capsule.digest }),
    ).rejects.toMatchObject({ retryable: false, ...expected });
    expect(server.requests).toHaveLength(1);
    await nothingInstalled(capsules);
  };

  it("with a mistyped key is refused with the text of spec", () =>
    refuse(testCapsule({ manifest: { procesess: {} } }), {
      code: "ERR_CAPSULE_MANIFEST",
      message: expect.stringContaining('did you mean "processes"?'),
      cause: expect.any(SpecError),
    }));

  it("that runs a program which it does not have is refused", () =>
    refuse(testCapsule({ processes: { main: { command: "bin/other" } } }), {
      code: "ERR_CAPSULE_MANIFEST",
      message: expect.stringContaining("bin/other"),
    }));

  it("for another platform is refused", () => {
    const os = process.platform === "linux" ? "darwin" : "linux";
    return refuse(testCapsule({ manifest: { platforms: [{ os, arch: process.arch }] } }), {
      code: "ERR_CAPSULE_PLATFORM",
    });
  });

  it("for this platform, among others, is taken", async () => {
    const platforms = [
      { os: "linux", arch: "x64" },
      { os: "linux", arch: "arm64" },
      { os: "darwin", arch: "arm64" },
    ];
    const capsule = testCapsule({ manifest: { platforms } });
    await using server = await serveArchive(capsule);
    await using capsules = await open();
    await expect(
      capsules.install({ url: server.url, digest: capsule.digest }),
    ).resolves.toMatchObject({ name: "hello" });
  });

  it("that needs more than the disk has to spare is refused, and says how much", async () => {
    const capsule = testCapsule();
    await using server = await serveArchive(capsule);
    await using capsules = await open({ diskReserveBytes: Number.MAX_SAFE_INTEGER });
    await expect(
      capsules.install({ url: server.url, digest: capsule.digest }),
    ).rejects.toMatchObject({
      code: "ERR_CAPSULE_NO_SPACE",
      retryable: true,
      message: expect.stringMatching(/hello@1\.0\.0 needs 8\.2 kB .* are available/),
    });
    await nothingInstalled(capsules);
  });
});

describe("giving up", () => {
  const hello = testCapsule();

  it("ends the waiting of one, not the download of the others", async () => {
    const asked = Promise.withResolvers<() => void>();
    await using server = await serve((_, response) =>
      asked.resolve(() => void response.end(hello.archive)),
    );
    await using capsules = await open();
    const source = { url: server.url, digest: hello.digest };
    const abort = new AbortController();
    const impatient = capsules.install(source, { signal: abort.signal });
    const patient = capsules.install(source);
    const answer = await asked.promise;
    const reason = new Error("enough");
    abort.abort(reason);
    await expect(impatient).rejects.toBe(reason);
    answer();
    expect((await patient).name).toBe("hello");
    expect(server.requests).toHaveLength(1);
  });

  it("by all ends the download, and the next one begins afresh", async () => {
    const begun = Promise.withResolvers<void>();
    const ended = Promise.withResolvers<void>();
    await using server = await serve((_, response, count) => {
      if (count > 1) return response.end(hello.archive);
      response.once("close", () => ended.resolve());
      response.write(hello.archive.subarray(0, 50), () => begun.resolve());
    });
    await using capsules = await open();
    const source = { url: server.url, digest: hello.digest };
    const abort = new AbortController();
    const first = capsules.install(source, { signal: abort.signal });
    await begun.promise;
    abort.abort();
    await expect(first).rejects.toMatchObject({ name: "AbortError" });
    expect((await capsules.install(source)).name).toBe("hello");
    await ended.promise;
  });

  it("in the moment in which another one comes leaves the download to that one", async () => {
    const asked = Promise.withResolvers<() => void>();
    await using server = await serve((_, response) =>
      asked.resolve(() => void response.end(hello.archive)),
    );
    await using capsules = await open();
    const source = { url: server.url, digest: hello.digest };
    const abort = new AbortController();
    const first = capsules.install(source, { signal: abort.signal });
    const answer = await asked.promise;
    abort.abort();
    const second = capsules.install(source);
    await expect(first).rejects.toMatchObject({ name: "AbortError" });
    answer();
    expect((await second).name).toBe("hello");
  });

  it("by disposing ends what is under way and refuses what comes", async () => {
    await using server = await serve((_, response) => response.flushHeaders());
    const capsules = await open();
    const source = { url: server.url, digest: hello.digest };
    const install = expect(capsules.install(source)).rejects.toMatchObject({
      code: "ERR_CAPSULE_CLOSED",
    });
    await capsules[Symbol.asyncDispose]();
    await install;
    await capsules[Symbol.asyncDispose]();
    await expect(capsules.install(source)).rejects.toMatchObject({ code: "ERR_CAPSULE_CLOSED" });
    await nothingInstalled(capsules);
  });
});

describe("what is installed", () => {
  const hello = testCapsule();
  const installed = async () => {
    const file = join(root, "hello.tar.gz");
    await writeFile(file, hello.archive);
    const capsules = await open();
    const source = { url: pathToFileURL(file).href, digest: hello.digest };
    return { capsules, source, capsule: await capsules.install(source) };
  };

  it("verifies, until a file is changed", async () => {
    const { capsules, capsule } = await installed();
    expect(await capsules.verify(capsule)).toEqual({ ok: true });
    await writeFile(join(capsule.path, "etc/map.txt"), "floor 3");
    await writeFile(join(capsule.path, "etc/new.txt"), "");
    await chmod(join(capsule.path, "bin/main"), 0o700);
    expect(await capsules.verify(capsule.digest)).toMatchObject({
      ok: false,
      problems: [
        { kind: "mode", path: "bin/main" },
        { kind: "digest", path: "etc/map.txt" },
        { kind: "extra", path: "etc/new.txt" },
      ],
    });
  });

  it("is not there any more with a damaged manifest, and an install mends it", async () => {
    const { capsules, capsule, source } = await installed();
    await writeFile(join(capsule.path, "capsule.json"), "{}");
    expect(await capsules.find(hello.digest)).toBeUndefined();
    expect(await capsules.list()).toEqual([]);
    expect(await capsules.verify(capsule)).toMatchObject({
      ok: false,
      problems: [{ kind: "digest", path: "capsule.json" }],
    });
    await capsules.install(source);
    expect(await capsules.verify(capsule)).toEqual({ ok: true });
    expect(await readdir(join(root, "staging"))).toEqual([]);
  });

  it("cannot be where the disk refuses, and says so", async () => {
    await using server = await serveArchive(hello);
    await using capsules = await open();
    await writeFile(join(root, "capsules/hello"), "a file where the folder goes");
    await expect(capsules.install({ url: server.url, digest: hello.digest })).rejects.toMatchObject(
      { code: "ERR_CAPSULE_IO", retryable: true },
    );
    expect(server.requests).toHaveLength(1);
    await nothingInstalled(capsules);
  });

  it("goes with remove, as often as you like", async () => {
    const { capsules, capsule } = await installed();
    await capsules.remove(hello.digest);
    await capsules.remove(hello.digest);
    expect(await capsules.find(hello.digest)).toBeUndefined();
    await expect(stat(capsule.path)).rejects.toMatchObject({ code: "ENOENT" });
    await expect(capsules.verify(capsule)).rejects.toMatchObject({ code: "ERR_CAPSULE_NOT_FOUND" });
    await nothingInstalled(capsules);
  });
});

it("a body that arrives in single bytes is a body", async () => {
  const hello = testCapsule();
  await using server = await serve(async (_, response) => {
    for (const byte of hello.archive) {
      if (!response.write(Buffer.of(byte))) await once(response, "drain");
    }
    response.end();
  });
  await using capsules = await open();
  expect((await capsules.install({ url: server.url, digest: hello.digest })).name).toBe("hello");
});
