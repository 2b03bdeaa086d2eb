import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { socketPath } from "../src/socket.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "core-socket-"));
});
afterEach(() => rm(folder, { recursive: true }));

describe("socketPath", () => {
  it("leaves a short path as it is", async () => {
    await using short = await socketPath("/run/agent.sock");
    expect(short.path).toBe("/run/agent.sock");
  });

  it.runIf(process.platform === "linux")(
    "reaches a socket however deep its folder is",
    async () => {
      const deep = join(folder, "a".repeat(100), "b".repeat(100));
      await mkdir(deep, { recursive: true });
      const path = join(deep, "agent.sock");
      const server = createServer((socket) => socket.end("here"));
      {
        await using short = await socketPath(path);
        await new Promise<void>((resolve) => server.listen(short.path, resolve));
      }
      await using short = await socketPath(path);
      const answer = await new Promise<string>((resolve, reject) => {
        connect(short.path)
          .on("data", (data) => resolve(data.toString()))
          .on("error", reject);
      });
      expect(answer).toBe("here");
      await new Promise((resolve) => server.close(resolve));
    },
  );

  it("refuses what cannot be helped, and says why", async () => {
    await expect(socketPath(`/run/${"s".repeat(120)}`)).rejects.toThrow("too long for a socket");
  });
});
