// The sample workload: greets at /, says how it is at /health. Nothing but Node.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { fileURLToPath } from "node:url";

const { GREETING = "Hello", PORT, VERSION = "nowhere" } = process.env;

/** A map that was damaged on its way here would send the robot into a wall. */
function mapIsSound(name) {
  const file = fileURLToPath(new URL(`maps/${name}`, import.meta.url));
  const [expected] = readFileSync(`${file}.sha256`, "utf8").split(" ");
  return createHash("sha256").update(readFileSync(file)).digest("hex") === expected;
}

const mapLoaded = mapIsSound("floor-2.pgm");
if (mapLoaded) console.log("INFO map server: loaded floor-2.pgm");
else console.error("ERROR map server: checksum mismatch floor-2.pgm");

const server = createServer((request, response) => {
  if (request.url === "/") return response.end(`${GREETING} from ${VERSION}\n`);
  if (request.url !== "/health") return response.writeHead(404).end("not found\n");
  if (!mapLoaded) return response.writeHead(503).end("map not loaded\n");
  response.setHeader("content-type", "application/json").end('{"status":"ok"}\n');
});

server.once("error", (error) => {
  console.error(`ERROR cannot listen on 127.0.0.1:${PORT}: ${error.message}`);
  process.exitCode = 1;
});
if (PORT === undefined) throw new Error("PORT is not set; say where to listen");
server.listen(Number(PORT), "127.0.0.1", () => {
  console.log(`INFO ${GREETING} from ${VERSION}, on http://127.0.0.1:${server.address().port}`);
});

process.once("SIGTERM", () => {
  server.close();
  server.closeAllConnections();
});
