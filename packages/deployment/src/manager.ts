import {
  backoffMs,
  type Clock,
  Events,
  type Listener,
  type Logger,
  silentLogger,
  systemClock,
} from "@roboticks/core";
import { digestOf } from "@roboticks/core/digest";
import type { Envelope } from "@roboticks/spec/deployment";
import type { Store } from "@roboticks/store";
import { activate } from "./activating.ts";
import type { Context, Said } from "./context.ts";
import { DeploymentError } from "./errors.ts";
import { ensure, type Managers } from "./executors.ts";
import { StateJournal } from "./journal.ts";
import { describePlan, plan } from "./plan.ts";
import type { Rejected, Verifier } from "./ports.ts";
import { type NewReport, queueReport, ReportOutbox } from "./reports.ts";
import { stage } from "./staging.ts";
import {
  type Attempt,
  type Event,
  type Installed,
  idOf,
  type Outcome,
  type State,
} from "./state.ts";
import { take } from "./taking.ts";
import { judge, probate } from "./trial.ts";
import { undo } from "./undoing.ts";

/** Options of {@link DeploymentManager.open}. */
export interface DeploymentManagerOptions extends Managers {
  /** Where journal, state and outbox live. Not disposed. */
  readonly store: Store;
  /** Says which orders hold. */
  readonly verifier: Verifier;
  readonly clock?: Clock;
  readonly logger?: Logger;
  /** How often the time left of a trial or probation is written down, in ms. Default 30,000. */
  readonly tickMs?: number;
  /** How long a use must be unhealthy on probation before it goes back, in ms. Default 30,000. */
  readonly lastingMs?: number;
}

/** What the manager tells while it works. */
export interface DeploymentEvents {
  /** A deployment came to another state; the same is in the outbox. */
  readonly reported: NewReport;
}

/** A transition that is interrupted this often is undone. */
const mostInterruptions = 3;

/**
 * Brings the device from one deployment to the next, or back, as one transaction. It drives
 * itself from `open` on: what was under way goes on, and what should run is started, without the
 * network. Outcomes are values; see {@link DeploymentManager.settled}.
 */
export class DeploymentManager implements AsyncDisposable {
  readonly #options: Required<DeploymentManagerOptions>;
  readonly #journal: StateJournal;
  readonly #events: Events<DeploymentEvents>;
  readonly #closed = new AbortController();
  readonly #refusals = new Map<string, Outcome>();
  readonly #waiting = new Set<() => void>();
  #interrupt = new AbortController();
  #work: Promise<void> = Promise.resolve();

  /** What the platform is to be told. */
  readonly reports: ReportOutbox;

  private constructor(options: Required<DeploymentManagerOptions>, journal: StateJournal) {
    this.#options = options;
    this.#journal = journal;
    this.#events = new Events({ logger: options.logger });
    this.reports = new ReportOutbox({ store: options.store });
  }

  /**
   * Takes up where the journal ends.
   *
   * @throws StoreError when the journal cannot be read
   */
  static async open({
    clock = systemClock,
    logger = silentLogger,
    tickMs = 30_000,
    lastingMs = 30_000,
    ...options
  }: DeploymentManagerOptions): Promise<DeploymentManager> {
    const journal = await StateJournal.open(options.store);
    const all = { clock, logger, tickMs, lastingMs, ...options };
    const manager = new DeploymentManager(all, journal);
    await manager.#resume();
    manager.#work = manager.#drive();
    return manager;
  }

  /** What is known of deployments on this device. */
  get state(): State {
    return this.#journal.state;
  }

  /** Calls `listener` at every `name` from now on. */
  on<Name extends keyof DeploymentEvents>(
    name: Name,
    listener: Listener<DeploymentEvents[Name]>,
  ): Disposable {
    return this.#events.on(name, listener);
  }

  /**
   * Takes an order. Durable once it resolves; a newer one supersedes what is under way. Whether
   * it holds, and how it ends, says {@link settled} with the id that is returned.
   *
   * @throws {DeploymentError} `ERR_DEPLOYMENT_CLOSED`
   */
  async submit(envelope: Envelope): Promise<{ readonly id: string }> {
    this.#throwIfClosed();
    const verdict = await this.#options.verifier.verify(envelope);
    if (verdict.kind === "rejected") {
      const id = `refused-${digestOf(JSON.stringify(envelope)).slice(-16)}`;
      return this.#refuse(id, verdict, verdict.claims);
    }
    const { assignment, digest } = verdict;
    const id = idOf(assignment);
    const { event, report, refused } = await this.#journal.record((state) => {
      const taken = take(state, verdict);
      const report = taken.said && this.#report(taken.said);
      return { ...taken, report, ...(report ? { also: [queueReport(report)] } : {}) };
    });
    if (refused) return this.#refuse(`refused-${id}-${digest.slice(-16)}`, refused, verdict);
    if (report) this.#announce(report);
    this.#noticed();
    if (event?.type === "accepted") this.#interrupt.abort(new Error("superseded"));
    return { id };
  }

  /**
   * How what `submit` gave `id` for ended: at once where it did already, else when it does.
   *
   * @throws `signal.reason` once `signal` is aborted; the deployment goes on
   * @throws {DeploymentError} `ERR_DEPLOYMENT_CLOSED`, `ERR_DEPLOYMENT_UNKNOWN`
   */
  async settled(id: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Outcome> {
    for (;;) {
      signal?.throwIfAborted();
      this.#throwIfClosed();
      const { outcomes, attempt, next } = this.state;
      const outcome = outcomes.find((entry) => entry.id === id)?.outcome ?? this.#refusals.get(id);
      if (outcome) return outcome;
      if (
        ![attempt?.to, next].some((installed) => installed && idOf(installed.assignment) === id)
      ) {
        throw new DeploymentError(
          "ERR_DEPLOYMENT_UNKNOWN",
          `no deployment has the id ${id}; the last 50 endings are kept`,
        );
      }
      await this.#change(signal);
    }
  }

  /** Ends the work in order; workloads go on. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#closed.signal.aborted) {
      const closed = new DeploymentError("ERR_DEPLOYMENT_CLOSED", "the manager was disposed");
      this.#closed.abort(closed);
      this.#interrupt.abort(closed);
      this.#noticed();
    }
    await this.#work;
  }

  /** Keeps a refusal for who asks, and tells the platform once. */
  async #refuse(
    id: string,
    { code, message }: Omit<Rejected, "claims">,
    claims: Rejected["claims"],
  ): Promise<{ id: string }> {
    if (this.#refusals.has(id)) return { id };
    for (const oldest of this.#refusals.keys()) {
      if (this.#refusals.size < 50) break;
      this.#refusals.delete(oldest);
    }
    this.#refusals.set(id, { kind: "refused", code, message });
    this.#options.logger.warn({ code, message }, "an order was refused");
    if (claims) {
      const about = { ...claims, configurations: {} };
      const cause = { code, message, lastLines: [] };
      await this.#tell({ state: "refused", about, message, cause });
    }
    return { id };
  }

  /** After a start: counts the interruption, if it was one. */
  async #resume(): Promise<void> {
    const { attempt } = this.state;
    if (attempt?.phase !== "activating" && attempt?.phase !== "trial") return;
    await this.#record({ type: "resumed", interrupted: !attempt.suspended });
    if ((this.state.attempt?.interruptions ?? 0) < mostInterruptions) return;
    const message = `the device went down ${mostInterruptions} times while it was activated`;
    const cause = { code: "ERR_DEPLOYMENT_INTERRUPTED", message, lastLines: [] };
    await this.#record(
      { type: "undoBegun", cause, blame: false, superseded: false },
      { state: "undoing", about: attempt.to, cause },
    );
  }

  /** Works off what the state asks for, phase by phase, until the manager is disposed. */
  async #drive(): Promise<void> {
    const { clock, logger } = this.#options;
    const closed = this.#closed.signal;
    for (let failures = 0; !closed.aborted; ) {
      if (this.#interrupt.signal.aborted) this.#interrupt = new AbortController();
      try {
        await this.#step(this.#context());
        failures = 0;
      } catch (error) {
        if (closed.aborted) return;
        const pauseMs = backoffMs(++failures, { capMs: 30_000 });
        logger.error({ error, pauseMs }, "the transition cannot go on; it is tried again");
        const signal = this.#interrupt.signal;
        await clock.sleep(pauseMs, { signal }).catch(() => {}); // woken: look again at once
      }
    }
  }

  async #step(context: Context): Promise<void> {
    const { attempt, next, running } = this.state;
    if (attempt) return phases[attempt.phase](context, attempt);
    if (next) return this.#begin(next);
    if (running) await ensure(context, running);
    // A deployment may have come while that went on: it has aborted the signal then.
    await aborted(context.interrupt);
  }

  async #begin(next: Installed): Promise<void> {
    const { running } = this.state;
    const present = await this.#options.capsules.present();
    const made = plan(running, next, present);
    await this.#record(
      { type: "begun", plan: made },
      { state: "staging", about: next, message: describePlan(made) },
    );
  }

  #context(): Context {
    const { capsules, configurations, health, clock, logger, tickMs, lastingMs } = this.#options;
    return {
      capsules,
      configurations,
      health,
      clock,
      logger,
      tickMs,
      lastingMs,
      state: () => this.state,
      record: (event, said) => this.#record(event, said),
      report: (said) => this.#tell(said),
      interrupt: this.#interrupt.signal,
      closed: this.#closed.signal,
    };
  }

  async #record(event: Event, said?: Said): Promise<void> {
    const report = said && this.#report(said, event);
    await this.#journal.record(() => ({ event, also: report ? [queueReport(report)] : [] }));
    if (report) this.#announce(report);
    this.#noticed();
    if (event.type === "committed" || event.type === "undone") await this.#collect();
  }

  async #tell(said: Said): Promise<void> {
    const report = this.#report(said);
    await this.#journal.record(() => ({ also: [queueReport(report)] }));
    this.#announce(report);
  }

  #report({ state, about, message, cause }: Said, event?: Event): NewReport {
    const { attempt, running } = this.state;
    // A newer assignment may have asked for the same meanwhile.
    const { assignment } = attempt?.to.digest === about.digest ? attempt.to : about;
    // What runs is what the event makes of it.
    const now =
      event?.type === "trialPassed"
        ? attempt?.to
        : event?.type === "undone"
          ? attempt?.from
          : running;
    return {
      at: Math.max(0, Math.floor(this.#options.clock.now())),
      state,
      assignment,
      deployment: labelOf(about),
      ...(now ? { running: labelOf(now) } : {}),
      ...(message ? { message } : {}),
      ...(cause ? { cause } : {}),
    };
  }

  #announce(report: NewReport): void {
    this.#events.emit("reported", report);
    this.reports.announce();
  }

  /** Forgets capsules that nothing here can come back to. */
  async #collect(): Promise<void> {
    const { capsules, logger } = this.#options;
    const { running, previous, attempt, next } = this.state;
    const kept = [running, ...previous, attempt?.from, attempt?.to, next].flatMap((installed) =>
      Object.values(installed?.deployment.capsules ?? {}).map(({ capsule }) => capsule.digest),
    );
    try {
      await this.reports.bound();
      for (const digest of await capsules.present()) {
        if (!kept.includes(digest)) await capsules.remove(digest);
      }
    } catch (error) {
      logger.warn({ error }, "could not clean up; it is tried again after the next deployment");
    }
  }

  #throwIfClosed(): void {
    this.#closed.signal.throwIfAborted();
  }

  /** Wakes who waits for a change of the state. */
  #noticed(): void {
    for (const wake of this.#waiting) wake();
  }

  #change(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.#waiting.delete(wake);
        signal?.removeEventListener("abort", wake);
        resolve();
      };
      this.#waiting.add(wake);
      signal?.addEventListener("abort", wake, { once: true });
    });
  }
}

const phases: Record<Attempt["phase"], (context: Context, attempt: Attempt) => Promise<void>> = {
  staging: async (context, attempt) => {
    // What ran goes on running while the next one is fetched, also after a boot.
    if (attempt.from) {
      await ensure(context, attempt.from).catch((error: unknown) => {
        context.closed.throwIfAborted();
        context.logger.error({ error }, "what ran before could not be started");
      });
    }
    await stage(context, attempt);
  },
  activating: activate,
  trial: judge,
  probation: probate,
  undoing: undo,
};

function labelOf({ digest, deployment: { name, version } }: Installed): NewReport["deployment"] {
  return { name, version, digest };
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
