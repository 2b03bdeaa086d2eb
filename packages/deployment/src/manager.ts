import {
  backoffMs,
  type Clock,
  Events,
  type Listener,
  type Logger,
  parseDuration,
  silentLogger,
  systemClock,
  untilAborted,
} from "@roboticks/core";
import { type Digest, digestOf } from "@roboticks/core/digest";
import type { Envelope } from "@roboticks/spec/deployment";
import type { Store } from "@roboticks/store";
import { activate } from "./activating.ts";
import { causeOf } from "./cause.ts";
import { clip, clipCause } from "./clip.ts";
import type { Context, Said } from "./context.ts";
import { DeploymentError } from "./errors.ts";
import { converge, type Managers, runsWhole } from "./executors.ts";
import { StateJournal } from "./journal.ts";
import { capsulesOf, describePlan, plan } from "./plan.ts";
import type { Rejected, Verifier } from "./ports.ts";
import { type NewReport, queueReport, ReportOutbox } from "./reports.ts";
import { stage } from "./staging.ts";
import {
  type Attempt,
  type Event,
  evolve,
  type Installed,
  idOf,
  labelOf,
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
  #toldNotRunning = false;

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
   * @throws {StoreError} when the journal cannot be read
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
    await manager.#resume().catch((error: unknown) => {
      // A disk that is full now must not keep what is installed from being started.
      logger.error({ error }, "that the agent was away could not be written down");
    });
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
      const { claims } = verdict;
      // One that was taken when it held, and is shown again after it expired, changes nothing.
      if (claims && this.#wasTaken(claims)) return { id: idOf(claims.assignment) };
      const id = `refused-${digestOf(JSON.stringify(envelope)).slice(-16)}`;
      return this.#refuse(id, verdict, claims);
    }
    const { assignment, digest } = verdict;
    const id = idOf(assignment);
    const { refused, event } = await this.#commit((state) =>
      take(state, verdict, state.running !== undefined && this.#runsWhole(state.running)),
    );
    if (refused) return this.#refuse(`refused-${id}-${digest.slice(-16)}`, refused, verdict);
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
      await untilAborted(new Promise<void>((wake) => this.#waiting.add(wake)), signal);
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

  /** Tells the platform of a refusal, once, and keeps it for who asks. */
  async #refuse(
    id: string,
    { code, message }: Omit<Rejected, "claims">,
    claims: Rejected["claims"],
  ): Promise<{ id: string }> {
    if (this.#refusals.has(id)) return { id };
    this.#options.logger.warn({ code, message }, "an order was refused");
    if (claims) {
      const about = { ...claims, configurations: {} };
      const cause = { code, message, lastLines: [] };
      await this.#commit(() => ({ said: { state: "refused", about, message, cause } }));
    }
    for (const oldest of this.#refusals.keys()) {
      if (this.#refusals.size < 50) break;
      this.#refusals.delete(oldest);
    }
    this.#refusals.set(id, { kind: "refused", code, message });
    return { id };
  }

  /** Whether this very order is the one that was taken last. */
  #wasTaken({ assignment, digest }: NonNullable<Rejected["claims"]>): boolean {
    const { attempt, next, running, outcomes } = this.state;
    if (assignment !== this.state.assignment) return false;
    const known = [next, attempt?.to, running].some((installed) => installed?.digest === digest);
    return known || outcomes.some((entry) => entry.id === idOf(assignment));
  }

  /** After a start: counts the interruption, if it was one. */
  async #resume(): Promise<void> {
    const { attempt } = this.state;
    if (attempt?.phase !== "activating" && attempt?.phase !== "trial") return;
    // What is taken up has to start and settle again, which is not to cost it its deadline.
    const remainingMs = Math.max(attempt.remainingMs, leastTrialMs(attempt.to));
    await this.#commit(() => ({
      event: { type: "resumed", interrupted: !attempt.suspended, remainingMs },
    }));
    if ((this.state.attempt?.interruptions ?? 0) < mostInterruptions) return;
    const message = `the device went down ${mostInterruptions} times while it was activated`;
    const cause = { code: "ERR_DEPLOYMENT_INTERRUPTED", message, lastLines: [] };
    await this.#commit(() => ({
      event: { type: "undoBegun", cause, blame: false, superseded: false },
      said: { state: "undoing", about: attempt.to, cause },
    }));
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
        if (closed.aborted) break;
        const pauseMs = backoffMs(++failures, { capMs: 30_000 });
        logger.error({ error, pauseMs }, "the transition cannot go on; it is tried again");
        const signal = this.#interrupt.signal;
        await clock.sleep(pauseMs, { signal }).catch(() => {}); // woken: look again at once
      }
    }
    const phase = this.state.attempt?.phase;
    if (phase === "activating" || phase === "trial") {
      await this.#commit(() => ({ event: { type: "suspended" } })).catch((error: unknown) => {
        logger.warn({ error }, "the next start will count as one after an interruption");
      });
    }
  }

  async #step(context: Context): Promise<void> {
    const { attempt, next, running } = this.state;
    if (attempt) return phases[attempt.phase](context, attempt);
    if (next) return this.#begin(next);
    if (running) await this.#keepRunning(context, running);
    // A deployment may have come while that went on: it has aborted the signal then.
    await aborted(context.interrupt);
  }

  /** Has what was committed running; what cannot be started is told of once. */
  async #keepRunning(context: Context, running: Installed): Promise<void> {
    try {
      await converge(context, running);
      this.#toldNotRunning = false;
    } catch (error) {
      context.closed.throwIfAborted();
      if (!this.#toldNotRunning) {
        this.#toldNotRunning = true;
        const cause = causeOf(error);
        const message = "what was committed does not run; it is tried again";
        context.tell({ state: "committed", about: running, message, cause });
      }
      throw error;
    }
  }

  /** Plans the way to `next`; a plan that became stale meanwhile is not begun. */
  async #begin(next: Installed): Promise<void> {
    const { running } = this.state;
    const made = plan(running, next, await this.#usable(next));
    await this.#commit((state) => {
      const isStale =
        state.next?.digest !== next.digest || state.running?.digest !== running?.digest;
      if (isStale) return {};
      if (state.running?.digest === next.digest && this.#runsWhole(state.running)) {
        return {
          event: { type: "renewed", assignment: next.assignment, unchanged: true },
          said: { state: "committed", about: next, message: "runs already" },
        };
      }
      return {
        event: { type: "begun", plan: made },
        said: { state: "staging", about: next, message: describePlan(made) },
      };
    });
  }

  /** The capsules that are there; of `next` only those that run, or whose files are as signed. */
  async #usable({ deployment }: Installed): Promise<Set<Digest>> {
    const { capsules } = this.#options;
    const usable = new Set(await capsules.present());
    const { running } = this.state;
    if (running && this.#runsWhole(running)) return usable;
    for (const digest of capsulesOf(deployment)) {
      if (usable.has(digest) && !(await capsules.intact(digest))) usable.delete(digest);
    }
    return usable;
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
      record: async (event, said) => {
        await this.#commit(() => ({ event, ...(said ? { said } : {}) }));
        if (event.type === "committed" || event.type === "undone") await this.#collect();
      },
      tell: (said) => {
        this.#commit(() => ({ said })).catch((error: unknown) => {
          logger.error({ error }, "a report could not be kept");
        });
      },
      interrupt: this.#interrupt.signal,
      closed: this.#closed.signal,
    };
  }

  /** Writes down, in its turn, what `decide` makes of the state then: an event, a report of it. */
  async #commit<Decision extends { readonly event?: Event; readonly said?: Said }>(
    decide: (state: State) => Decision,
  ): Promise<Decision> {
    const { decision, report } = await this.#journal.record((state) => {
      const decision = decide(state);
      const event = decision.event && clipEvent(decision.event);
      const after = event ? evolve(state, event) : state;
      const report = decision.said && this.#reportOf(decision.said, state, after);
      return { decision, event, report, ...(report ? { also: [queueReport(report)] } : {}) };
    });
    if (report) this.#announce(report);
    this.#noticed();
    return decision;
  }

  #reportOf({ state, about, message, cause }: Said, before: State, after: State): NewReport {
    // A newer assignment may have asked for the same meanwhile.
    const { attempt } = before;
    const { assignment } = attempt?.to.digest === about.digest ? attempt.to : about;
    return {
      at: Math.max(0, Math.floor(this.#options.clock.now())),
      state,
      assignment: Math.max(assignment, about.assignment),
      deployment: labelOf(about),
      ...(after.running ? { running: labelOf(after.running) } : {}),
      ...(message ? { message: clip(message, 4_096) } : {}),
      ...(cause ? { cause: clipCause(cause) } : {}),
    };
  }

  #runsWhole(installed: Installed): boolean {
    return runsWhole(this.#options.capsules, installed);
  }

  #announce(report: NewReport): void {
    this.#events.emit("reported", report);
    this.reports.announce();
  }

  /** Forgets capsules and configurations that nothing here can come back to. */
  async #collect(): Promise<void> {
    const { capsules, configurations, logger } = this.#options;
    // Asked for anew each time: a deployment may be accepted meanwhile.
    const kept = (): Installed[] => {
      const { running, previous, attempt, next } = this.state;
      return [running, ...previous, attempt?.from, attempt?.to, next].filter((one) => !!one);
    };
    try {
      await this.reports.bound();
      for (const digest of await capsules.present()) {
        if (!kept().some(({ deployment }) => capsulesOf(deployment).has(digest))) {
          await capsules.remove(digest);
        }
      }
      const used = kept().flatMap((one) => Object.entries(one.configurations));
      const versions = Object.groupBy(used, ([use]) => use);
      await configurations.collect(
        Object.fromEntries(
          Object.entries(versions).map(([use, entries = []]) => [use, entries.map(([, v]) => v)]),
        ),
      );
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
    this.#waiting.clear();
  }
}

const phases: Record<Attempt["phase"], (context: Context, attempt: Attempt) => Promise<void>> = {
  staging: async (context, attempt) => {
    // What ran goes on running while the next one is fetched, also after a boot.
    await converge(context, attempt.from).catch((error: unknown) => {
      context.closed.throwIfAborted();
      context.logger.error({ error }, "what ran before could not be started");
    });
    await stage(context, attempt);
  },
  activating: activate,
  trial: judge,
  probation: probate,
  undoing: undo,
};

/** What a trial needs at least: for every check to come out of its start period, and to settle. */
function leastTrialMs({ deployment: { activation, capsules } }: Installed): number {
  const checks = Object.values(capsules).flatMap(({ health }) => health);
  const periods = checks
    .flatMap(({ http, tcp, process }) => [http, tcp, process])
    .map((check) => parseDuration(check?.startPeriod ?? "0s") ?? 0);
  return (parseDuration(activation.minHealthyTime) ?? 0) + Math.max(0, ...periods);
}

/** An event that the store can hold, whatever a port has put into it. */
function clipEvent(event: Event): Event {
  return event.type === "undoBegun" ? { ...event, cause: clipCause(event.cause) } : event;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
