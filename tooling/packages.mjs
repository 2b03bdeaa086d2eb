// `npm run -s packages [-- NAME…] [--json]`: what a user gets. Builds and packs every package
// that is published (or those named), installs each by itself into an empty project, imports and
// type-checks every export there, and prints what came along.
// `npm run -s packages -- NAME… --out DIR`: only builds and packs, keeps the tarballs of these
// packages and of ours that they import in DIR, and prints the command that installs them.
import { execFile, spawnSync } from "node:child_process";
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { parseArgs, promisify } from "node:util";
import { environment, root } from "./exec.mjs";
import { readWorkspace, withDependencies } from "./workspace.mjs";

const atOnce = 2;
const { names, json, out } = readArguments();

const workspace = readWorkspace();
const published = [...workspace.keys()].filter((name) => !workspace.get(name).manifest.private);
const chosen = published.filter(
  (name) => names.length === 0 || names.includes(name.split("/")[1]) || names.includes(name),
);
if (chosen.length === 0) fail(`no package is called ${names.join(" or ")}`);
const wanted = new Set(chosen.flatMap((name) => [...withDependencies(workspace, name)]));

if (out !== undefined) mkdirSync(out, { recursive: true });
const home = mkdtempSync(join(tmpdir(), "roboticks-packages-"));
process.on("exit", () => rmSync(home, { recursive: true, force: true }));
process.on("SIGINT", () => process.exit(130));

function readArguments() {
  try {
    const { values, positionals } = parseArgs({
      options: { json: { type: "boolean", default: false }, out: { type: "string" } },
      allowPositionals: true,
    });
    if (values.out === "") throw new Error("--out names no folder");
    // npm changes into the repo; what a user names is relative to where the command was typed.
    const cwd = process.env.INIT_CWD ?? process.cwd();
    const folder = values.out && resolve(cwd, values.out);
    return { names: positionals, json: values.json, out: folder };
  } catch (error) {
    fail(error.message);
  }
}

function fail(message) {
  console.error(`packages: ${message}`);
  process.exit(1);
}

/** Runs a tool to its end; what it said becomes the error where it fails. */
async function tool(cwd, command, ...rest) {
  try {
    const { stdout } = await promisify(execFile)(command, rest, { cwd, env: environment });
    return stdout;
  } catch (error) {
    throw new Error(`${command} ${rest.join(" ")}\n${error.stdout ?? ""}${error.stderr ?? error}`);
  }
}

/** Calls `work` for every item, `atOnce` at a time; the results in the items' order. */
async function forEach(items, work) {
  const results = [];
  const rest = [...items.entries()];
  const worker = async () => {
    for (let next = rest.shift(); next; next = rest.shift()) results[next[0]] = await work(next[1]);
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

const tarball = (name) => {
  const { version } = workspace.get(name).manifest;
  return join(out ?? home, `${name.slice(1).replace("/", "-")}-${version}.tgz`);
};

/** Every export of a package, as a specifier, with whether it is data. */
function exportsOf(project, name) {
  const folder = join(project, "node_modules", name);
  const { exports = {} } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return Object.entries(exports).flatMap(([path, target]) => {
    const specifier = name + path.slice(1);
    if (!path.includes("*")) return [{ specifier, data: false }];
    return readdirSync(join(folder, target.split("*")[0])).map((file) => ({
      specifier: specifier.replace("*", file),
      data: true,
    }));
  });
}

/** Bytes of all files below `folder`. */
const sizeOf = (folder) =>
  readdirSync(folder, { recursive: true })
    .map((path) => lstatSync(join(folder, path)))
    .reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0);

/** Installs `name` by itself, uses all of it, and says what came with it. */
async function tryOut(name) {
  const project = join(home, name);
  mkdirSync(project, { recursive: true });
  const own = [...withDependencies(workspace, name)];
  writeFileSync(
    join(project, "package.json"),
    JSON.stringify({
      private: true,
      type: "module",
      dependencies: Object.fromEntries(own.map((each) => [each, `file:${tarball(each)}`])),
      // Nothing of ours comes from a registry, whoever asks for it.
      overrides: Object.fromEntries(own.map((each) => [each, `$${each}`])),
    }),
  );
  const quiet = ["--prefer-offline", "--no-audit", "--no-fund", "--ignore-scripts"];
  await tool(project, "npm", "install", ...quiet, "--loglevel=error").catch((error) => {
    throw new Error(`${error.message}\nis the npm registry reachable?`);
  });
  const { packages } = JSON.parse(
    readFileSync(join(project, "node_modules", ".package-lock.json"), "utf8"),
  );
  const came = new Set(Object.keys(packages).map((path) => path.split("node_modules/").at(-1)));
  came.delete(name);
  const bytes = sizeOf(join(project, "node_modules"));

  const entries = exportsOf(project, name);
  const loads = entries.map(({ specifier, data }) => {
    const options = data ? ', { with: { type: "json" } }' : "";
    return `await import(${JSON.stringify(specifier)}${options});\n`;
  });
  writeFileSync(join(project, "load.mjs"), loads.join(""));
  await tool(project, "node", "load.mjs");
  for (const program of Object.keys(workspace.get(name).manifest.bin ?? {})) {
    await tool(project, join(project, "node_modules", ".bin", program), "--help");
  }
  await typeCheck(project, entries);
  return {
    name,
    ours: [...came].filter((each) => workspace.has(each)).sort(),
    others: [...came].filter((each) => !workspace.has(each)).sort(),
    bytes,
  };
}

/** Compiles a program that uses every export, the declarations themselves included. */
async function typeCheck(project, entries) {
  const modules = entries.filter(({ data }) => !data);
  if (modules.length === 0) return;
  const lines = modules.map(({ specifier }, n) => `export * as m${n} from "${specifier}";\n`);
  writeFileSync(join(project, "use.ts"), lines.join(""));
  const compilerOptions = {
    target: "es2024",
    lib: ["es2024", "esnext.disposable"],
    module: "nodenext",
    strict: true,
    skipLibCheck: false,
    noEmit: true,
    types: ["node"],
    typeRoots: [join(root, "node_modules", "@types")],
  };
  const config = JSON.stringify({ files: ["use.ts"], compilerOptions });
  writeFileSync(join(project, "tsconfig.json"), config);
  await tool(project, "tsc", "-p", "tsconfig.json");
}

/** The command that installs what is in `out`; it names the files where others lie there too. */
function installCommand(files) {
  const own = new Set(files.map((file) => basename(file)));
  const alone = readdirSync(out).every((file) => !file.endsWith(".tgz") || own.has(file));
  const quote = (path) => (/^[\w./@+-]+$/.test(path) ? path : `'${path.replaceAll("'", "'\\''")}'`);
  return `npm install ${alone ? `${quote(out)}/*.tgz` : files.map(quote).join(" ")}`;
}

function print(rows) {
  const plural = (count, of) => `${count} ${of}${count === 1 ? "" : "s"}`;
  console.log("| package | packages that come with it | size on disk |");
  console.log("|---|---|---|");
  for (const { name, ours, others, bytes } of rows) {
    const third = others.length > 6 ? [plural(others.length, "other")] : others;
    const with_ = [...ours, ...third].join(", ") || "none";
    console.log(`| ${name} | ${with_} | ${(bytes / 1e6).toFixed(2)} MB |`);
  }
}

const filters = [...wanted].map((name) => `--filter=${name}`);
const build = spawnSync("turbo", ["run", "build", "--output-logs=errors-only", ...filters], {
  cwd: root,
  env: environment,
  stdio: ["ignore", 2, 2],
});
if (build.status !== 0) fail("the build failed");
try {
  await forEach([...wanted], (name) =>
    tool(workspace.get(name).folder, "pnpm", "pack", "--pack-destination", out ?? home),
  );
  if (out) {
    const files = [...wanted].map(tarball).sort();
    console.log(json ? JSON.stringify(files) : installCommand(files));
    process.exit();
  }
  const rows = await forEach(chosen, (name) =>
    tryOut(name).catch((error) => {
      throw new Error(`${name}: ${error.message}`, { cause: error });
    }),
  );
  if (json) console.log(JSON.stringify(rows));
  else print(rows);
} catch (error) {
  fail(error.message);
}
