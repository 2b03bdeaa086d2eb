import { join, resolve } from "node:path";
import type { Digest } from "@roboticks/core/digest";

/** Where everything lies below the root, as absolute paths: programs run in other folders. */
export interface Layout {
  /** Being fetched, or on its way out; disposable whenever nobody works on it. */
  readonly staging: string;
  /** `<name>/<digest>`: whole trees, which appear and go by one rename. */
  readonly capsules: string;
  /** `<use>`: what programs keep; never removed here. */
  readonly data: string;
}

export function layoutOf(root: string): Layout {
  const top = resolve(root);
  return {
    staging: join(top, "staging"),
    capsules: join(top, "capsules"),
    data: join(top, "data"),
  };
}

/** A digest as the name of a folder. */
export function folderNameOf(digest: Digest): string {
  return digest.slice("sha256:".length);
}

/** The manifest's name in the archive and in the installed tree. */
export const manifestPath = "capsule.json";
