import { spawn, spawnSync } from "node:child_process";
import { expect, it } from "vitest";
import { linuxProcesses } from "../src/processes/linux.ts";
import { psProcesses } from "../src/processes/ps.ts";
import { alive } from "../src/processes/table.ts";
import { eventually } from "./fixtures/workshop.ts";

const hasBoth = process.platform === "linux" && spawnSync("ps", ["-V"]).status === 0;

it.runIf(hasBoth)("ps and /proc tell the same", async () => {
  const child = spawn("sleep", ["86400"], { detached: true });
  const pid = child.pid ?? 0;
  try {
    const ofPs = await psProcesses.find(pid);
    expect(ofPs).toMatchObject({ pid, parent: process.pid, group: pid, zombie: false });
    expect(await linuxProcesses.find(pid)).toMatchObject({ pid, parent: process.pid, group: pid });
    expect((await psProcesses.all()).find((entry) => entry.pid === pid)).toEqual(ofPs);
    expect(ofPs && (await alive(psProcesses, ofPs))).toBe(true);
    await eventually(async () => (await psProcesses.command(pid)).includes("sleep 86400"));
    expect((await linuxProcesses.command(pid)).split("\0")).toContain("86400");
  } finally {
    child.kill("SIGKILL");
  }
  await eventually(async () => (await psProcesses.find(pid)) === undefined);
  expect(await psProcesses.command(pid)).toBe("");
  expect(await linuxProcesses.find(pid)).toBeUndefined();
});
