// `npm run new -- package NAME`: a package in the house style.
import { copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { run } from "./exec.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const [kind, name, tag = "manager"] = process.argv.slice(2);
const tags = ["ground", "plugin", "manager", "composed"];

function fail(message) {
  console.error(`new: ${message}`);
  console.error(`usage: npm run new -- package NAME [${tags.join("|")}]`);
  process.exit(2);
}
if (kind !== "package") fail(`cannot make a ${kind ?? "nothing"}; only 'package'`);
if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name ?? "")) {
  fail(`'${name ?? ""}' is no name (a-z, 0-9, and - between)`);
}
if (!tags.includes(tag)) fail(`'${tag}' is no layer that packages are added to`);

const folder = join(root, "packages", name);
if (existsSync(folder)) fail(`packages/${name} is already there`);
const core = JSON.parse(readFileSync(join(root, "packages", "core", "package.json"), "utf8"));

/** `camel-case` → `CamelCase`, `camelCase`, `CAMEL_CASE`. */
const pascal = name.replace(/(^|-)([a-z0-9])/g, (_, __, letter) => letter.toUpperCase());
const camel = pascal[0].toLowerCase() + pascal.slice(1);
const code = `ERR_${name.toUpperCase().replaceAll("-", "_")}_CLOSED`;

/** Writes text, lines or JSON to `path` below the package. */
function write(path, content) {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  const text = Array.isArray(content) ? content.join("\n") : JSON.stringify(content, null, 2);
  writeFileSync(file, `${text}\n`);
}

const built = { types: "./dist/index.d.ts", default: "./dist/index.js" };
write("package.json", {
  name: `@roboticks/${name}`,
  version: core.version,
  description: "",
  license: core.license,
  type: "module",
  sideEffects: false,
  engines: core.engines,
  exports: { ".": { "@roboticks/source": "./src/index.ts", ...built } },
  publishConfig: { access: "public", exports: { ".": built } },
  files: ["dist"],
  scripts: core.scripts,
  dependencies: { "@roboticks/core": "workspace:*" },
});
for (const file of ["tsconfig.json", "tsconfig.build.json"]) {
  copyFileSync(join(root, "packages", "core", file), join(folder, file));
}
write("turbo.json", [`{`, `  "extends": ["//"],`, `  "tags": ["${tag}"]`, `}`]);
write("README.md", [
  `# @roboticks/${name}`,
  "",
  "What it is for, in two sentences.",
  "",
  "```ts",
  `import { ${pascal} } from "@roboticks/${name}";`,
  "",
  `await using ${camel} = new ${pascal}();`,
  "```",
  "",
  "## Options",
  "",
  "| option | default | |",
  "|---|---|---|",
  "| `logger` | silent | where it says what it does |",
  "",
  "## Events",
  "",
  "None.",
  "",
  "## Errors",
  "",
  "| code | meaning | what to do |",
  "|---|---|---|",
  `| \`${code}\` | it was used after its end | make a new one |`,
]);
write("src/index.ts", [
  `export { ${pascal}Error, type ${pascal}ErrorCode, ${camel}ErrorCodes } from "./errors.ts";`,
  `export { ${pascal}, type ${pascal}Options } from "./${name}.ts";`,
]);
write("src/errors.ts", [
  `import { RoboticksError } from "@roboticks/core";`,
  "",
  `/** Every code that a {@link ${pascal}Error} can have; the README says what to do about each. */`,
  `export const ${camel}ErrorCodes = ["${code}"] as const;`,
  "",
  `export type ${pascal}ErrorCode = (typeof ${camel}ErrorCodes)[number];`,
  "",
  `/** The one error class of this package; branch on \`code\`. */`,
  `export class ${pascal}Error extends RoboticksError<${pascal}ErrorCode> {`,
  `  override readonly name = "${pascal}Error";`,
  "}",
]);
write(`src/${name}.ts`, [
  `import { type Logger, silentLogger } from "@roboticks/core";`,
  `import { ${pascal}Error } from "./errors.ts";`,
  "",
  `/** Options of {@link ${pascal}}. */`,
  `export interface ${pascal}Options {`,
  "  /** Where it says what it does. Default: silent. */",
  "  readonly logger?: Logger;",
  "}",
  "",
  "/** What it is for, in a sentence. */",
  `export class ${pascal} implements AsyncDisposable {`,
  "  readonly #logger: Logger;",
  "  #closed = false;",
  "",
  `  constructor({ logger = silentLogger }: ${pascal}Options = {}) {`,
  "    this.#logger = logger;",
  "  }",
  "",
  `  /** @throws {${pascal}Error} \`${code}\` */`,
  "  use(): void {",
  "    if (this.#closed) {",
  `      throw new ${pascal}Error("${code}", "it was used after its end; make a new one");`,
  "    }",
  `    this.#logger.debug({}, "used");`,
  "  }",
  "",
  "  /** Detaches; may be called again. */",
  "  async [Symbol.asyncDispose](): Promise<void> {",
  "    this.#closed = true;",
  "  }",
  "}",
]);
write(`test/${name}.test.ts`, [
  `import { expect, it } from "vitest";`,
  `import { ${pascal} } from "../src/index.ts";`,
  "",
  `it("refuses to be used after its end", async () => {`,
  `  const ${camel} = new ${pascal}();`,
  `  ${camel}.use();`,
  `  await ${camel}[Symbol.asyncDispose]();`,
  `  expect(() => ${camel}.use()).toThrow(expect.objectContaining({ code: "${code}" }));`,
  "});",
]);
write("test/readme.test.ts", [
  `import { readFileSync } from "node:fs";`,
  `import { join } from "node:path";`,
  `import { expect, it } from "vitest";`,
  `import { ${camel}ErrorCodes } from "../src/index.ts";`,
  "",
  `it("the README lists every error code, and no other", () => {`,
  `  const readme = readFileSync(join(import.meta.dirname, "..", "README.md"), "utf8");`,
  "  const listed = [...readme.matchAll(/^\\| `(ERR_[A-Z0-9_]+)`/gm)].map(([, code]) => code);",
  `  expect(listed.sort()).toEqual([...${camel}ErrorCodes].sort());`,
  "});",
]);
// The formatter decides where long names break a line.
run("biome", ["check", "--write", "--log-level=error", `packages/${name}`]);
console.log(`packages/${name} is made. Next: npm run bootstrap, then write its README first.`);
