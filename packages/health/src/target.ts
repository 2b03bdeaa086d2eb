import { type Clock, Events, type Listener, type Logger } from "@roboticks/core";
import type { CheckRecord } from "./check.ts";
import { HealthError } from "./errors.ts";
import type { HealthEvents, VerdictChanged } from "./events.ts";
import { type FailedOptions, failed } from "./failed.ts";
import { type CheckStatistics, statisticsOf } from "./history.ts";
import type { Observed } from "./observe.ts";
import { type Settled, type SettleOptions, settle } from "./settle.ts";
import { type Cause, type Judgement, judge, type Verdict } from "./verdict.ts";
import type { CheckSnapshot, WatchedCheck } from "./watched-check.ts";

/** A target's state as data that can be written down. */
export interface TargetSnapshot {
  readonly name: string;
  readonly verdict: Verdict;
  readonly cause: Cause | undefined;
  /** Since when the verdict is this one, wall time in ms since 1970. */
  readonly since: number;
  readonly checks: readonly CheckSnapshot[];
}

/** Figures of all checks together, and of each. */
export interface TargetStatistics extends CheckStatistics {
  /** By the checks' names. */
  readonly checks: Readonly<Record<string, CheckStatistics>>;
}

/** Something whose health is watched. Dispose ends the watching; what is watched goes on. */
export interface Target extends AsyncDisposable {
  readonly name: string;
  readonly verdict: Verdict;
  /** Why the verdict is not `healthy`. */
  readonly cause: Cause | undefined;
  /** Calls `listener` at every change from now on, until the returned handle is disposed. */
  on(name: "verdictChanged", listener: Listener<VerdictChanged>): Disposable;
  /**
   * Waits until it has been healthy for `healthyForMs` without a break; that the deadline
   * passes or a check is failing are outcomes, not errors. Every check that counts has to have
   * passed at least once since the call. With every check ignored, nothing speaks against it.
   *
   * @throws `signal.reason` once `signal` is aborted
   * @throws {HealthError} `ERR_HEALTH_CLOSED` when the target is disposed,
   *   `ERR_HEALTH_INVALID_OPTION` where a time is negative or not finite
   */
  settle(options: SettleOptions): Promise<Settled>;
  /**
   * Waits until the checks that are not ignored have been failing (the verdict of them together
   * is `unhealthy`) for `lastingMs` without a break; with 0 at once, also when they are already.
   * With every check ignored it never comes to that.
   *
   * @returns the cause, as it was last
   * @throws `signal.reason` once `signal` is aborted
   * @throws {HealthError} `ERR_HEALTH_CLOSED` when the target is disposed,
   *   `ERR_HEALTH_INVALID_OPTION` where the time is negative or not finite
   */
  failed(options: FailedOptions): Promise<Cause>;
  /** The state now, with the last `results` (default 20, at most 100) of each check. */
  snapshot(options?: { readonly results?: number }): TargetSnapshot;
  /** Figures over the last 100 results of each check. */
  statistics(): TargetStatistics;
}

/** What a target is made of. */
export interface MonitoredTargetOptions {
  readonly name: string;
  readonly checks: readonly WatchedCheck[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** The monitor's events; they are told after the target's own. */
  readonly events: Events<HealthEvents>;
  /** Called once, when the disposal begins. */
  readonly onClose: () => void;
}

/** The target that a monitor makes. */
export class MonitoredTarget implements Target {
  readonly name: string;
  readonly #checks: readonly WatchedCheck[];
  readonly #clock: Clock;
  readonly #logger: Logger;
  readonly #monitorEvents: Events<HealthEvents>;
  readonly #events: Events<{ verdictChanged: VerdictChanged; result: string }>;
  readonly #onClose: () => void;
  readonly #closing = new AbortController();
  #judgement: Judgement;
  #since: number;
  #loops: Promise<unknown> = Promise.resolve();

  constructor({ name, checks, clock, logger, events, onClose }: MonitoredTargetOptions) {
    this.name = name;
    this.#checks = checks;
    this.#clock = clock;
    this.#logger = logger;
    this.#monitorEvents = events;
    this.#events = new Events({ logger });
    this.#onClose = onClose;
    this.#judgement = judge(checks);
    this.#since = clock.now();
  }

  get verdict(): Verdict {
    return this.#judgement.verdict;
  }

  get cause(): Cause | undefined {
    return this.#judgement.cause;
  }

  /** Begins to run the checks, side by side. Called once. */
  start(): void {
    const { signal } = this.#closing;
    this.#loops = Promise.all(
      this.#checks.map((check) => check.watch(signal, (record) => this.#take(check, record))),
    );
  }

  on(name: "verdictChanged", listener: Listener<VerdictChanged>): Disposable {
    return this.#events.on(name, listener);
  }

  settle(options: SettleOptions): Promise<Settled> {
    return settle(
      {
        ...this.#observed(),
        onListenerError: (error) =>
          this.#logger.error({ target: this.name, error }, "onProgress of settle threw"),
      },
      options,
    );
  }

  failed(options: FailedOptions): Promise<Cause> {
    return failed(this.#observed(), options);
  }

  snapshot({ results = 20 }: { readonly results?: number } = {}): TargetSnapshot {
    return {
      name: this.name,
      verdict: this.verdict,
      cause: this.cause,
      since: this.#since,
      checks: this.#checks.map((check) => check.snapshot(results)),
    };
  }

  statistics(): TargetStatistics {
    const histories = this.#checks.map(({ history }) => history.last());
    return {
      ...statisticsOf(histories),
      checks: Object.fromEntries(
        this.#checks.map(({ name, history }) => [name, statisticsOf([history.last()])]),
      ),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closing.signal.aborted) {
      this.#closing.abort(
        new HealthError(
          "ERR_HEALTH_CLOSED",
          `target ${this.name} is no longer watched; watch it again to judge it`,
        ),
      );
      this.#onClose();
    }
    await this.#loops;
  }

  #observed(): Observed {
    return {
      name: this.name,
      checks: this.#checks,
      clock: this.#clock,
      closed: this.#closing.signal,
      onResult: (listener) => this.#events.on("result", listener),
    };
  }

  #take(check: WatchedCheck, record: CheckRecord): void {
    const from = this.verdict;
    this.#judgement = judge(this.#checks);
    if (this.verdict !== from) this.#since = record.at;
    this.#monitorEvents.emit("checkCompleted", {
      type: "checkCompleted",
      target: this.name,
      check: check.name,
      kind: check.kind,
      record,
    });
    this.#events.emit("result", check.name);
    if (this.verdict !== from) this.#tellChange(from, record.at);
  }

  #tellChange(from: Verdict, at: number): void {
    const { verdict: to, cause } = this.#judgement;
    const change: VerdictChanged = {
      type: "verdictChanged",
      target: this.name,
      from,
      to,
      cause,
      at,
    };
    this.#logger[to === "unhealthy" || to === "unknown" ? "warn" : "info"](
      change,
      "verdict changed",
    );
    this.#events.emit("verdictChanged", change);
    this.#monitorEvents.emit("verdictChanged", change);
  }
}
