import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";

/** A server on a free port that hands every connection to `serve`, and what became of them. */
export class RawServer implements AsyncDisposable {
  readonly sockets = new Set<Socket>();
  readonly port: number;
  /** How many connections there have been. */
  accepted = 0;
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async open(serve: (socket: Socket) => void, host = "127.0.0.1"): Promise<RawServer> {
    const server = createServer();
    server.listen(0, host);
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("not listening on a port");
    const raw = new RawServer(server, address.port);
    server.on("connection", (socket) => {
      raw.accepted++;
      raw.sockets.add(socket);
      socket.on("error", () => {}); // a check may hang up at any time
      socket.on("close", () => raw.sockets.delete(socket));
      serve(socket);
    });
    return raw;
  }

  /** Answers every request with `bytes`, and closes unless told not to. */
  static answering(bytes: string, { close = true, host = "127.0.0.1" } = {}): Promise<RawServer> {
    return RawServer.open((socket) => {
      socket.once("data", () => {
        socket.write(bytes);
        if (close) socket.end();
      });
    }, host);
  }

  url(path = "/"): string {
    return `http://127.0.0.1:${this.port}${path}`;
  }

  /** Resolves when no connection is open any more. */
  async idle(): Promise<void> {
    // Not `once`: it would reject where a check hung up with bytes unread.
    const closed = [...this.sockets].map(
      (socket) => new Promise((resolve) => socket.once("close", resolve)),
    );
    await Promise.all(closed);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.sockets) socket.destroy();
    await closed;
  }
}

/** A port of 127.0.0.1 on which nobody listens. */
export async function closedPort(): Promise<number> {
  await using server = await RawServer.open(() => {});
  return server.port;
}
