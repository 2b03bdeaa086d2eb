// Answers HTTP on a free port and tells its parent which. Its own process, so that the bench
// measures the processor time of the checks alone.
import { createServer } from "node:http";

const server = createServer((_request, response) => response.end("ready"));
server.listen(0, "127.0.0.1", () => process.send?.(server.address().port));
process.on("disconnect", () => process.exit());
