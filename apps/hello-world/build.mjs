// Makes a folder of hello-world that runs on a robot without Node.js:
//   node build.mjs --version 1.0.0 --out DIR [--broken]
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  constants,
  copyFileSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

const usage = "usage: node build.mjs --version 1.0.0 --out DIR [--broken]";

/** Ours alone, not of the system: what a robot with an older or smaller Linux may lack. */
const bundledLibraries = ["libstdc++.so.6", "libgcc_s.so.1"];

const launcher = `#!/bin/sh
# Starts the server with the Node and the libraries that lie beside it, whatever the robot has.
here=$(cd -- "\${0%/*}/.." && pwd) || exit
export LD_LIBRARY_PATH="$here/lib"
exec "$here/bin/node" "$here/server.js"
`;

main();

function main() {
  const options = readOptions();
  const { version, out, broken } = options;
  const here = import.meta.dirname;
  for (const folder of ["bin", "lib", "maps"]) mkdirSync(join(out, folder), { recursive: true });

  copyProgram(process.execPath, join(out, "bin/node"));
  for (const library of librariesOf(process.execPath)) {
    copyProgram(library.path, join(out, "lib", library.name));
  }
  writeFileSync(join(out, "bin/hello-world"), launcher, { mode: 0o755 });
  cpSync(join(here, "maps"), join(out, "maps"), { recursive: true });
  for (const file of ["server.js", "environment.schema.json"]) {
    copyFileSync(join(here, file), join(out, file));
  }
  // In a folder without a package.json, .js would be guessed to be CommonJS first.
  writeFileSync(join(out, "package.json"), '{ "type": "module" }\n');
  if (broken) spoil(join(out, "maps/floor-2.pgm"));
  writeFileSync(join(out, "capsule.json"), manifestOf(join(here, "capsule.json"), version));
  console.log(
    `${out}: hello-world ${version} for ${process.platform} ${process.arch}${broken ? ", broken" : ""}`,
  );
}

function readOptions() {
  try {
    const { values } = parseArgs({
      options: {
        version: { type: "string" },
        out: { type: "string" },
        broken: { type: "boolean", default: false },
      },
    });
    if (!values.version || !values.out) throw new Error("--version and --out are needed");
    mkdirSync(values.out, { recursive: true });
    if (readdirSync(values.out).length > 0) {
      throw new Error(`${values.out} is not empty; remove it or name another folder`);
    }
    return values;
  } catch (error) {
    console.error(`${error.message}\n${usage}`);
    process.exit(2);
  }
}

/** `capsule.json` with this version, and for this machine. */
function manifestOf(source, version) {
  const manifest = JSON.parse(readFileSync(source, "utf8"));
  manifest.version = version;
  manifest.platforms = [{ os: process.platform, arch: process.arch }];
  // 2.0.0 greets as v2, 2.1.0 as v2.1.
  manifest.processes.server.environment.VERSION = `v${version.replace(/(\.0)+$/, "")}`;
  return `${JSON.stringify(manifest, null, 2)}\n`;
}

function copyProgram(from, to) {
  copyFileSync(from, to, constants.COPYFILE_FICLONE);
  chmodSync(to, 0o755);
}

/** Where the bundled libraries of `program` lie on this machine. */
function librariesOf(program) {
  if (process.platform !== "linux") return [];
  const lines = execFileSync("ldd", [program], { encoding: "utf8" }).split("\n");
  return lines.flatMap((line) => {
    const [, name, path] = /^\s*(\S+) => (\/\S+)/.exec(line) ?? [];
    return bundledLibraries.includes(name) ? [{ name, path }] : [];
  });
}

/** A map with one wall fewer than its checksum knows of. */
function spoil(map) {
  writeFileSync(map, readFileSync(map, "utf8").replace("  0   0", "255   0"));
}
