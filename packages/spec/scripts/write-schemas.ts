// Writes the JSON Schemas that editors use from the zod schemas that judge: `npm run schemas`.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { editorSchemas } from "./editor-schemas.ts";

const folder = join(import.meta.dirname, "..", "schemas");
for (const [name, content] of editorSchemas()) {
  writeFileSync(join(folder, name), content);
  console.log(`packages/spec/schemas/${name}`);
}
