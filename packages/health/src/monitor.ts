import {
  type Clock,
  Events,
  type Listener,
  type Logger,
  silentLogger,
  systemClock,
} from "@roboticks/core";
import type { Check } from "./check.ts";
import { HealthError } from "./errors.ts";
import type { HealthEvents } from "./events.ts";
import { type CheckOptions, resolveOptions } from "./options.ts";
import { MonitoredTarget, type Target } from "./target.ts";
import { WatchedCheck } from "./watched-check.ts";

/** Options of {@link HealthMonitor}. */
export interface HealthMonitorOptions {
  /** Default: the machine's. */
  readonly clock?: Clock;
  /** Default: says nothing. */
  readonly logger?: Logger;
  /** A number in [0, 1), which spreads the checks over time. Default `Math.random`. */
  readonly random?: () => number;
}

/** Watches targets by their checks, continuously, until it is disposed. */
export class HealthMonitor implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #random: () => number;
  readonly #events: Events<HealthEvents>;
  readonly #targets = new Map<string, MonitoredTarget>();
  #closed = false;

  constructor({
    clock = systemClock,
    logger = silentLogger,
    random = Math.random,
  }: HealthMonitorOptions = {}) {
    this.#clock = clock;
    this.#logger = logger;
    this.#random = random;
    this.#events = new Events({ logger });
  }

  /**
   * Watches `name` from now on: every check runs at once, then each on its own grid.
   *
   * @param options for all checks that do not say otherwise
   * @throws {HealthError} `ERR_HEALTH_TARGET_EXISTS`, `ERR_HEALTH_NO_CHECKS`,
   *   `ERR_HEALTH_CHECK_EXISTS` (two checks of one name), `ERR_HEALTH_INVALID_OPTION`,
   *   `ERR_HEALTH_CLOSED` (the monitor is disposed)
   */
  watch(name: string, checks: readonly Check[], options: CheckOptions = {}): Target {
    this.#refuse(name, checks);
    const target = new MonitoredTarget({
      name,
      checks: checks.map(
        (check) =>
          new WatchedCheck(
            check,
            resolveOptions(`check ${check.name} of ${name}`, check.options, options),
            this.#clock,
            this.#random,
          ),
      ),
      clock: this.#clock,
      logger: this.#logger,
      events: this.#events,
      onClose: () => this.#targets.delete(name),
    });
    this.#targets.set(name, target);
    target.start();
    return target;
  }

  /** The target of that name, while it is watched. */
  get(name: string): Target | undefined {
    return this.#targets.get(name);
  }

  /** All that are watched, in the order in which they were added. */
  targets(): Target[] {
    return [...this.#targets.values()];
  }

  /** Ends the watching of `name`; nothing happens where it is not watched. */
  async unwatch(name: string): Promise<void> {
    await this.#targets.get(name)?.[Symbol.asyncDispose]();
  }

  /** Calls `listener` at every such event of any target, until the returned handle is disposed. */
  on<Name extends keyof HealthEvents>(
    name: Name,
    listener: Listener<HealthEvents[Name]>,
  ): Disposable {
    return this.#events.on(name, listener);
  }

  /** Ends all watching. What is watched goes on. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await Promise.all(this.targets().map((target) => target[Symbol.asyncDispose]()));
  }

  #refuse(name: string, checks: readonly Check[]): void {
    if (this.#closed) {
      throw new HealthError(
        "ERR_HEALTH_CLOSED",
        `${name} cannot be watched: the monitor is disposed; make a new one`,
      );
    }
    if (this.#targets.has(name)) {
      throw new HealthError(
        "ERR_HEALTH_TARGET_EXISTS",
        `${name} is watched already; unwatch it first, or take it by get()`,
      );
    }
    if (checks.length === 0) {
      throw new HealthError(
        "ERR_HEALTH_NO_CHECKS",
        `${name} has no checks, so nothing could be said of it; give it one, for example process()`,
      );
    }
    const names = checks.map((check) => check.name);
    const twice = names.find((check, at) => names.indexOf(check) !== at);
    if (twice !== undefined) {
      throw new HealthError(
        "ERR_HEALTH_CHECK_EXISTS",
        `${name} has two checks named ${twice}; give one of them another name`,
      );
    }
  }
}
