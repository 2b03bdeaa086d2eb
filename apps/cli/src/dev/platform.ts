import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { PlatformClient } from "@roboticks/client";
import type { ProcessSupervisor } from "@roboticks/supervisor";
import { executable } from "../executables.ts";
import type { Home } from "./home.ts";
import { childEnvironment, throwIfEnded } from "./process.ts";
import { until } from "./until.ts";

const name = "platform";
const project = "default";

/** Options of {@link DevPlatform}. */
export interface DevPlatformOptions {
  readonly home: Home;
  readonly supervisor: ProcessSupervisor;
  readonly rootFile: string;
}

/** The platform of a development fleet: a process of its own, as in production. */
export class DevPlatform {
  readonly project = project;
  readonly #options: DevPlatformOptions;
  #url = "";

  constructor(options: DevPlatformOptions) {
    this.#options = options;
  }

  /** Where it listens, once it was started. */
  get url(): string {
    return this.#url;
  }

  get tokenFile(): string {
    return join(this.#options.home.platform, "secrets", "operator-token");
  }

  /** What lets a device enroll. */
  async dsnKey(): Promise<string> {
    return (await readFile(join(this.#options.home.platform, "secrets", "dsn-key"), "utf8")).trim();
  }

  /** Starts it; resolves once it answers. */
  async start(signal?: AbortSignal): Promise<void> {
    const { home, supervisor, rootFile } = this.#options;
    const run = await supervisor.start(name, {
      command: executable("roboticks-platform"),
      arguments: ["--data", home.platform, "--project", project, "--root", rootFile],
      environment: childEnvironment(),
      workingDirectory: home.folder,
      restart: "on-failure",
    });
    this.#url = await until(
      "the platform's start",
      async () => {
        await throwIfEnded(run);
        const text = await readFile(join(home.platform, "platform.json"), "utf8");
        const { url, pid, ready } = JSON.parse(text);
        if (!ready || pid !== run.status().pid) return undefined;
        await new PlatformClient({ endpoint: url, project }).ping(signal ? { signal } : {});
        return String(url);
      },
      signal ? { signal } : {},
    );
  }

  /** Ends it, as its operator would. */
  async stop(): Promise<void> {
    await this.#options.supervisor.stop(name);
  }
}
