import type { Check } from "../check.ts";
import type { CheckOptions } from "../options.ts";
import { checkedPort, converse } from "./socket.ts";

/** Options of {@link tcp}. */
export interface TcpOptions extends CheckOptions {
  /** 1 to 65535. */
  readonly port: number;
  /** A name or an address. Default `127.0.0.1`. */
  readonly host?: string;
  /** Default `tcp`. */
  readonly name?: string;
}

/**
 * Passes when a connection is accepted; it is closed again without a byte.
 *
 * @throws {HealthError} `ERR_HEALTH_INVALID_OPTION` where the port is none
 */
export function tcp({ port, host = "127.0.0.1", name = "tcp", ...options }: TcpOptions): Check {
  const address = { host, port: checkedPort(port) };
  return {
    name,
    kind: "tcp",
    options,
    run: ({ signal }) =>
      converse(address, signal, (socket, finish) => {
        socket.on("connect", () => finish({ status: "pass" }));
      }),
  };
}
