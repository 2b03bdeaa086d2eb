import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect } from "vitest";

/** A folder for each test, and a place in it where nothing is yet. */
export function scratch(): { readonly folder: string; readonly into: string } {
  const place = { folder: "", into: "" };
  beforeEach(async () => {
    place.folder = await mkdtemp(join(tmpdir(), "archive-"));
    place.into = join(place.folder, "capsule");
  });
  afterEach(() => rm(place.folder, { recursive: true }));
  return place;
}

/** That an extraction left nothing, not even the folder. */
export async function expectNothingIn(folder: string): Promise<void> {
  expect(await readdir(folder)).toEqual([]);
}
