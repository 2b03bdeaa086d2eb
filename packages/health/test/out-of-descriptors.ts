// Run by tcp.integration.test.ts with few file descriptors: uses them all up, then checks a port.
import { openSync } from "node:fs";
import { systemClock } from "@roboticks/core";
import { tcp } from "../src/index.ts";

const { signal } = new AbortController();
const check = tcp({ port: Number(process.argv[2]) });
const before = await check.run({ signal, clock: systemClock });
try {
  for (;;) openSync("/dev/null", "r");
} catch {
  // EMFILE: none is left, which is what this is for
}
const after = await check.run({ signal, clock: systemClock });
console.log(JSON.stringify({ before, after }));
