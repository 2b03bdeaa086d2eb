// `npm run new -- package NAME`: a package in the house style.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
const [kind, name, tag = "manager"] = process.argv.slice(2);
const tags = ["base", "ground", "spec", "manager", "composed", "plugin"];

function fail(message) {
  console.error(`new: ${message}`);
  console.error(`usage: npm run new -- package NAME [${tags.join("|")}]`);
  process.exit(2);
}
if (kind !== "package") fail(`cannot make a ${kind ?? "nothing"}; only 'package'`);
if (!/^[a-z][a-z0-9-]*$/.test(name ?? "")) fail(`'${name}' is not a name (a-z, 0-9, -)`);
if (!tags.includes(tag)) fail(`'${tag}' is no layer`);

const folder = join(root, "packages", name);
if (existsSync(folder)) fail(`packages/${name} is already there`);
const { version } = JSON.parse(readFileSync(join(root, "packages", "core", "package.json"), "utf8"));

/** The class name of a package's errors: `rollout` → `RolloutError`. */
const pascal = name.replace(/(^|-)([a-z])/g, (_, __, letter) => letter.toUpperCase());

function write(path, content) {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, typeof content === "string" ? content : `${JSON.stringify(content, null, 2)}\n`);
}

const built = { types: "./dist/index.d.ts", default: "./dist/index.js" };
write("package.json", {
  name: `@roboticks/${name}`,
  version,
  description: "",
  license: "Apache-2.0",
  type: "module",
  sideEffects: false,
  engines: { node: ">=24" },
  exports: { ".": { "@roboticks/source": "./src/index.ts", ...built } },
  publishConfig: { access: "public", exports: { ".": built } },
  files: ["dist"],
  scripts: {
    build: "tsup --config ../../tooling/tsup.config.ts --silent && tsc -p tsconfig.build.json",
    typecheck: "tsc -p tsconfig.json",
    "check:package": "node ../../tooling/check-package.mjs",
  },
  dependencies: { "@roboticks/core": "workspace:*" },
});
write("tsconfig.json", {
  extends: "../../tsconfig.base.json",
  include: ["src", "test", "bench"],
});
write("tsconfig.build.json", {
  extends: "./tsconfig.json",
  include: ["src"],
  compilerOptions: {
    noEmit: false,
    emitDeclarationOnly: true,
    declaration: true,
    rootDir: "src",
    outDir: "dist",
    customConditions: [],
  },
});
write("turbo.json", { extends: ["//"], tags: [tag] });
write("README.md", `# @roboticks/${name}\n`);
write("src/index.ts", `export { ${pascal}Error, type ${pascal}ErrorCode } from "./errors.ts";\n`);
write(
  "src/errors.ts",
  `import { RoboticksError } from "@roboticks/core";

/** What can go wrong in \`@roboticks/${name}\`; the README says what to do about each. */
export type ${pascal}ErrorCode = "ERR_${name.toUpperCase().replaceAll("-", "_")}_CLOSED";

/** The one error class of this package; branch on \`code\`. */
export class ${pascal}Error extends RoboticksError<${pascal}ErrorCode> {
  override readonly name = "${pascal}Error";
}
`,
);
console.log(`packages/${name} is made. Next: npm run bootstrap, then write its README first.`);
