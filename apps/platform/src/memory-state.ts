import type { Report } from "@roboticks/spec/report";
import {
  type AssignmentEntry,
  type CapsuleEntry,
  type DeviceEntry,
  type PlatformState,
  reportsKept,
  type TokenEntry,
  tokensKept,
} from "./state.ts";

/** State that ends with the process: for tests and trials. */
export class MemoryState implements PlatformState {
  readonly #devices = new Map<string, DeviceEntry>();
  readonly #tokens = new Map<string, TokenEntry>();
  readonly #capsules = new Map<string, CapsuleEntry>();
  readonly #manifests = new Map<string, Uint8Array>();
  readonly #assignments = new Map<string, AssignmentEntry>();
  readonly #reports = new Map<string, Report[]>();

  async addDevice(device: DeviceEntry): Promise<DeviceEntry> {
    const kept = this.#devices.get(device.name) ?? device;
    this.#devices.set(kept.name, kept);
    return kept;
  }

  async getDevice(name: string): Promise<DeviceEntry | undefined> {
    return this.#devices.get(name);
  }

  async listDevices(): Promise<readonly DeviceEntry[]> {
    return [...this.#devices.values()].sort(byName);
  }

  async setLastSeen(device: string, at: number): Promise<void> {
    const entry = this.#devices.get(device);
    if (entry) this.#devices.set(device, { ...entry, lastSeenAt: at });
  }

  async addToken(token: TokenEntry, now: number): Promise<void> {
    for (const [hash, { expiresAt }] of this.#tokens) {
      if (expiresAt < now) this.#tokens.delete(hash);
    }
    this.#tokens.set(token.hash, token);
    const own = [...this.#tokens.values()].filter(({ device }) => device === token.device);
    const surplus = own.sort((a, b) => b.expiresAt - a.expiresAt).slice(tokensKept);
    for (const { hash } of surplus) this.#tokens.delete(hash);
  }

  async getToken(hash: string): Promise<TokenEntry | undefined> {
    return this.#tokens.get(hash);
  }

  async addCapsule(
    { digest, name, version }: CapsuleEntry,
    manifest: Uint8Array,
  ): Promise<"kept" | "conflict"> {
    for (const other of this.#capsules.values()) {
      if (other.name === name && other.version === version && other.digest !== digest) {
        return "conflict";
      }
    }
    if (!this.#capsules.has(digest)) {
      this.#capsules.set(digest, { digest, name, version });
      this.#manifests.set(digest, manifest.slice());
    }
    return "kept";
  }

  async getCapsule(digest: string): Promise<CapsuleEntry | undefined> {
    return this.#capsules.get(digest);
  }

  async getManifest(digest: string): Promise<Uint8Array | undefined> {
    return this.#manifests.get(digest);
  }

  async listCapsules({
    name,
    version,
  }: {
    readonly name?: string | undefined;
    readonly version?: string | undefined;
  }): Promise<readonly CapsuleEntry[]> {
    return [...this.#capsules.values()]
      .filter((entry) => name === undefined || entry.name === name)
      .filter((entry) => version === undefined || entry.version === version)
      .sort(byName);
  }

  async setArchive(
    digest: string,
    archive: { readonly sha256: string; readonly size: number },
  ): Promise<{ readonly sha256: string; readonly size: number }> {
    const entry = this.#capsules.get(digest);
    if (!entry) throw new Error(`there is no capsule ${digest} to have an archive`);
    const kept = entry.archive ?? archive;
    this.#capsules.set(digest, { ...entry, archive: kept });
    return kept;
  }

  async getAssignment(device: string): Promise<AssignmentEntry | undefined> {
    return this.#assignments.get(device);
  }

  async setAssignment(device: string, assignment: AssignmentEntry): Promise<"kept" | "old"> {
    const kept = this.#assignments.get(device);
    if (kept && kept.version >= assignment.version) return "old";
    this.#assignments.set(device, assignment);
    return "kept";
  }

  async addReports(device: string, reports: readonly Report[]): Promise<number> {
    const kept = this.#reports.get(device) ?? [];
    for (const report of reports) if (report.seq > lastSeq(kept)) kept.push(report);
    this.#reports.set(device, kept.slice(-reportsKept));
    return lastSeq(kept);
  }

  async listReports(
    device: string,
    { after, limit }: { readonly after: number; readonly limit: number },
  ): Promise<readonly Report[]> {
    return (this.#reports.get(device) ?? []).filter(({ seq }) => seq > after).slice(0, limit);
  }

  async getLatestReport(device: string): Promise<Report | undefined> {
    return this.#reports.get(device)?.at(-1);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    // Nothing is held open; the state may be handed to another platform.
  }
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function lastSeq(reports: readonly Report[]): number {
  return reports.at(-1)?.seq ?? 0;
}
