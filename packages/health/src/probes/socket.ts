import { connect, type Socket } from "node:net";
import type { CheckResult } from "../check.ts";
import { HealthError } from "../errors.ts";

/** Where a probe connects to. */
export interface Address {
  readonly host: string;
  readonly port: number;
}

/** Socket errors that say something of the other side, in words. */
const failures: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ECONNRESET: "connection reset",
  EPIPE: "connection closed by the other side",
  ENOTFOUND: "host name not found",
  EHOSTUNREACH: "host not reachable",
  ENETUNREACH: "network not reachable",
  ETIMEDOUT: "connection timed out",
};

/**
 * Socket errors that say something of this machine: no descriptors, ports or memory left, a
 * name server that does not answer. A release is not judged by those.
 */
const ownTrouble = new Set(["EMFILE", "ENFILE", "ENOBUFS", "ENOMEM", "EADDRNOTAVAIL", "EAI_AGAIN"]);

/**
 * Opens a socket, lets `talk` use it until it calls `finish`, and destroys it in every case.
 * An error of the socket finishes by itself, after the listeners that `talk` added heard it.
 *
 * @throws `signal.reason` once `signal` is aborted
 */
export function converse(
  address: Address,
  signal: AbortSignal,
  talk: (socket: Socket, finish: (result: CheckResult) => void) => void,
): Promise<CheckResult> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const socket = connect(address);
    const onAbort = (): void => {
      socket.destroy();
      reject(signal.reason);
    };
    const finish = (result: CheckResult): void => {
      signal.removeEventListener("abort", onAbort);
      socket.destroy();
      resolve(result);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    talk(socket, finish);
    socket.on("error", (error) => finish(resultOf(error, address)));
  });
}

function resultOf(error: NodeJS.ErrnoException, { host, port }: Address): CheckResult {
  const where = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  const code = error.code ?? "";
  if (ownTrouble.has(code)) {
    return { status: "unknown", reason: `could not try ${where}: ${code}` };
  }
  return { status: "fail", reason: `${failures[code] ?? (code || error.message)} (${where})` };
}

/**
 * `port`, if a socket can connect to it.
 *
 * @throws {HealthError} `ERR_HEALTH_INVALID_OPTION` otherwise
 */
export function checkedPort(port: number): number {
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new HealthError(
    "ERR_HEALTH_INVALID_OPTION",
    `port ${port} cannot be connected to; it has to be a whole number from 1 to 65535`,
  );
}
