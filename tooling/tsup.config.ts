import { readFileSync } from "node:fs";
import { defineConfig } from "tsup";

// One build for all packages: every entry that package.json exports (or runs), as ESM.
// Declarations come from tsc.
const { exports = {}, bin = {} } = JSON.parse(readFileSync("package.json", "utf8"));
const sources = Object.values<{ "@roboticks/source"?: string }>(exports)
  .map((entry) => entry["@roboticks/source"])
  .filter((source) => source !== undefined);
if (Object.keys(bin).length > 0) sources.push("./src/main.ts");

export default defineConfig({
  entry: Object.fromEntries(
    sources.map((source) => [source.replace(/^\.\/src\/|\.ts$/g, ""), source]),
  ),
  format: "esm",
  target: "node24",
  platform: "node",
  removeNodeProtocol: false,
  clean: true,
  sourcemap: true,
});
