import { readdir, rm } from "node:fs/promises";
import { join } from "node:path";

/**
 * Where `roboticks dev` keeps everything; nothing outside is touched.
 *
 *     context.yaml            what the other commands read
 *     keys/                   root and operator keys, root.json
 *     platform/               the platform's data
 *     devices/NAME/           agent.yaml, dsn, state/ (the device's disk)
 *     run/NAME/               the device's run folder
 *     processes/              what runs, and its logs
 */
export function homeOf(folder: string) {
  return {
    folder,
    context: join(folder, "context.yaml"),
    keys: join(folder, "keys"),
    platform: join(folder, "platform"),
    devices: join(folder, "devices"),
    run: join(folder, "run"),
    processes: join(folder, "processes"),
    lock: join(folder, "dev.db"),
  };
}

export type Home = ReturnType<typeof homeOf>;

/** Names of the devices that are there from earlier. */
export async function devicesOf({ devices }: Home): Promise<string[]> {
  return readdir(devices).catch(() => []); // none yet
}

/** Forgets everything but the lock, which is held. */
export async function clear(home: Home): Promise<void> {
  for (const path of [
    home.context,
    home.keys,
    home.platform,
    home.devices,
    home.run,
    home.processes,
  ]) {
    await rm(path, { recursive: true, force: true });
  }
}
