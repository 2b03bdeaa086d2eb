import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { type Logger, silentLogger, toError } from "@roboticks/core";
import { type Digest, digestOf, isDigest } from "@roboticks/core/digest";
import { isSystemError, syncFolder, writeFileAtomic } from "@roboticks/core/fs";
import { nameSchema } from "@roboticks/spec/words";
import { ConfigError } from "./errors.ts";
import { type Layer, type Layered, merge } from "./layers.ts";
import { type CompiledSchema, compileSchema, type VariablesSchema } from "./schema.ts";
import { problemsOf, type Variables } from "./validate.ts";

/** Options of {@link ConfigurationManager.open}. */
export interface ConfigurationManagerOptions {
  /** Its folder; made when missing. Only one manager at a time may have it. */
  readonly root: string;
  /** Default: silent. Values never reach it. */
  readonly logger?: Logger;
}

/** Options of {@link ConfigurationManager.stage}. */
export interface StageOptions {
  /** JSON Schema (2020-12) of the variables. Default: everything is accepted. */
  readonly schema?: VariablesSchema;
  /** Who sets what, lowest first: a later layer goes over an earlier one. */
  readonly layers: readonly Layer[];
}

/** A version of a configuration, on disk. */
export interface Staged {
  /** The digest of its file: the same variables from the same layers are the same version. */
  readonly version: Digest;
  /** What a process gets. */
  readonly variables: Variables;
  /** Where the value of `variable` is from, and what it goes over; `undefined` when unset. */
  explain(variable: string): Layered | undefined;
}

/**
 * Layers, validates and keeps configurations: immutable versions in files, which are its only
 * state, so that the last good one is there without any network.
 */
export class ConfigurationManager {
  readonly #root: string;
  readonly #logger: Logger;

  private constructor(root: string, logger: Logger) {
    this.#root = root;
    this.#logger = logger;
  }

  /** @throws {ConfigError} `ERR_CONFIG_IO` */
  static async open({
    root,
    logger = silentLogger,
  }: ConfigurationManagerOptions): Promise<ConfigurationManager> {
    await io(`open the folder ${root}`, async () => {
      await mkdir(root, { recursive: true, mode: 0o700 });
      await removeLeftOvers(root);
    });
    return new ConfigurationManager(root, logger);
  }

  /**
   * Merges `layers`, checks the result, and keeps it as a version of `name`. A value keeps the
   * text that was written; what the schema gives by default is the lowest layer, "default".
   * Idempotent; durable once it resolves. Disturbs no other version.
   *
   * @throws {ConfigError} `ERR_CONFIG_INVALID` with every problem, `ERR_CONFIG_SCHEMA`,
   *   `ERR_CONFIG_NAME`, `ERR_CONFIG_IO`
   */
  async stage(name: string, { schema, layers }: StageOptions): Promise<Staged> {
    const folder = this.#folder(name);
    const compiled = schema && compileSchema(schema);
    const values = merge([{ from: "default", variables: compiled?.defaults ?? {} }, ...layers]);
    const variables = variablesOf(values);
    if (compiled) refuseProblems(name, compiled, values);
    const content = `${JSON.stringify({ values: Object.fromEntries(values) }, null, 2)}\n`;
    const version = digestOf(content);
    await io(`write a version of ${name}`, () => this.#keep(folder, version, content));
    this.#logger.debug({ name, version }, "configuration staged");
    return { version, variables, explain: (variable) => values.get(variable) };
  }

  /**
   * The variables of a version, as they were staged.
   *
   * @throws {ConfigError} `ERR_CONFIG_NOT_FOUND`, `ERR_CONFIG_DAMAGED`, `ERR_CONFIG_NAME`,
   *   `ERR_CONFIG_IO`
   */
  async read(name: string, version: Digest): Promise<Variables> {
    const path = this.#path(name, version);
    const content = await io(`read ${path}`, () => readIfThere(path));
    if (content === undefined) throw notFound(name, version);
    // The file is what was written, byte for byte, or it is not used: no further check needed.
    if (digestOf(content) !== version) {
      throw new ConfigError(
        "ERR_CONFIG_DAMAGED",
        `${path} is not what was written: its digest is ${digestOf(content)}; stage the configuration of ${name} again`,
      );
    }
    const { values } = JSON.parse(content) as { values: Record<string, Layered> };
    return variablesOf(new Map(Object.entries(values)));
  }

  /** The versions of `name` that are kept; none, when it is unknown. */
  async versions(name: string): Promise<Digest[]> {
    const folder = this.#folder(name);
    const files = await io(`list ${folder}`, () => listIfThere(folder));
    return files
      .map((file) => `sha256:${file.replace(/\.json$/, "")}`)
      .filter(isDigest)
      .sort();
  }

  /** Forgets a version; one that is not there is fine. Durable once it resolves. */
  async remove(name: string, version: Digest): Promise<void> {
    const path = this.#path(name, version);
    await io(`remove ${path}`, async () => {
      if ((await readIfThere(path)) === undefined) return;
      await rm(path, { force: true });
      await syncFolder(this.#folder(name));
    });
  }

  async #keep(folder: string, version: Digest, content: string): Promise<void> {
    const path = join(folder, fileOf(version));
    // Written anew when the file is damaged.
    if ((await readIfThere(path)) === content) return;
    if ((await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined) {
      await syncFolder(this.#root);
    }
    await writeFileAtomic(path, content, { mode: 0o600 });
  }

  #folder(name: string): string {
    const { success, error } = nameSchema.safeParse(name);
    if (!success) {
      throw new ConfigError(
        "ERR_CONFIG_NAME",
        `"${name}" cannot name a configuration: ${error.issues[0]?.message}`,
      );
    }
    return join(this.#root, name);
  }

  #path(name: string, version: Digest): string {
    const folder = this.#folder(name);
    if (!isDigest(version)) throw notFound(name, version);
    return join(folder, fileOf(version));
  }
}

function fileOf(version: Digest): string {
  return `${version.slice("sha256:".length)}.json`;
}

function variablesOf(values: ReadonlyMap<string, Layered>): Variables {
  return Object.fromEntries([...values].map(([name, { value }]) => [name, value]));
}

function refuseProblems(
  name: string,
  schema: CompiledSchema,
  values: ReadonlyMap<string, Layered>,
): void {
  const problems = problemsOf(schema, variablesOf(values));
  if (problems.length === 0) return;
  const lines = problems.map(({ variable, message }) => {
    const setting = values.get(variable);
    return `  ${message}${setting ? ` (set by ${setting.from})` : ""}`;
  });
  throw new ConfigError(
    "ERR_CONFIG_INVALID",
    `the configuration of ${name} does not fit its schema; correct it and stage it again:\n${lines.join("\n")}`,
    { problems },
  );
}

function notFound(name: string, version: string): ConfigError {
  return new ConfigError(
    "ERR_CONFIG_NOT_FOUND",
    `there is no version ${version} of the configuration of ${name}; stage it first`,
  );
}

/** What interrupted writes left beside the files; there may be secrets in it. */
async function removeLeftOvers(root: string): Promise<void> {
  for (const entry of await readdir(root, { recursive: true, withFileTypes: true })) {
    if (entry.isFile() && /^\..*\.tmp$/.test(entry.name)) {
      await rm(join(entry.parentPath, entry.name), { force: true });
    }
  }
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return undefined;
    throw error;
  }
}

async function listIfThere(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (isSystemError(error, "ENOENT")) return [];
    throw error;
  }
}

/** What the disk refuses is no fault of the configuration, and has a code of its own. */
async function io<Result>(what: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    throw new ConfigError(
      "ERR_CONFIG_IO",
      `could not ${what}: ${toError(cause).message}; see to the disk and try again`,
      { cause },
    );
  }
}
