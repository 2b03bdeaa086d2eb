import type { Digest } from "@roboticks/core/digest";
import type { Deployment } from "@roboticks/spec/deployment";
import { causeSchema, type Label } from "@roboticks/spec/report";
import * as z from "zod";
import { planSchema } from "./plan.ts";

const digest = z.templateLiteral(["sha256:", z.string()]);

/**
 * A deployment as it was verified. Not checked by the wire's strict schema again: what an older
 * agent took must stay readable when the wire grows stricter.
 */
const storedDeployment = z.custom<Deployment>(
  (value) => typeof value === "object" && value !== null && "capsules" in value,
);

/** A deployment with the assignment that asked for it and the configuration it was given here. */
const installedSchema = z.object({
  digest,
  deployment: storedDeployment,
  assignment: z.int(),
  /** Version of the staged configuration by use. */
  configurations: z.record(z.string(), digest),
});

export type Installed = z.output<typeof installedSchema>;

/**
 * One try to come from `from` to `to`.
 *
 *     staging ──▶ activating ──▶ trial ──▶ probation ──▶ (committed)
 *        │            │            │           │
 *        ▼            └────────────┴───────────┴──▶ undoing ──▶ (reverted | superseded)
 *     (reverted | superseded: nothing was activated)
 */
const attemptSchema = z.object({
  from: installedSchema.optional(),
  to: installedSchema,
  plan: planSchema,
  phase: z.enum(["staging", "activating", "trial", "probation", "undoing"]),
  /** Checks that failed before activation, by use: no evidence against `to`. */
  tolerated: z.record(z.string(), z.array(z.string())),
  /** Time left of the trial or probation; spent only while running. */
  remainingMs: z.number(),
  /** How often the device went down in activation or on trial. */
  interruptions: z.int(),
  /** Whether the agent ended in order, which is no interruption. */
  suspended: z.boolean(),
  /** Whether it was taken up after the agent had ended: its time is not all its own then. */
  resumed: z.boolean(),
  /** Why it is undone, and whether the deployment is to blame. */
  undo: z
    .object({
      cause: causeSchema,
      blame: z.boolean(),
      superseded: z.boolean(),
      /** Whether anything was activated that has to be taken back. */
      activated: z.boolean(),
    })
    .optional(),
});

export type Attempt = z.output<typeof attemptSchema>;

/** How a submitted deployment ended. */
export const outcomeSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("committed") }),
  z.object({ kind: z.literal("unchanged") }),
  z.object({
    kind: z.literal("reverted"),
    cause: causeSchema,
    /** Version of what runs instead; absent where nothing did before. */
    to: z.string().optional(),
  }),
  z.object({ kind: z.literal("superseded") }),
  z.object({ kind: z.literal("refused"), code: z.string(), message: z.string() }),
]);

export type Outcome = z.output<typeof outcomeSchema>;

/** All that is known of deployments on this device; the sum of the journal. */
export const stateSchema = z.object({
  /** Version of the newest assignment that was taken. */
  assignment: z.int(),
  /** What passed its trial last. */
  running: installedSchema.optional(),
  /** What ran before, newest first. */
  previous: z.array(installedSchema),
  attempt: attemptSchema.optional(),
  /** Accepted, and begun when the attempt has ended. */
  next: installedSchema.optional(),
  /** Deployments that failed here by their own fault. */
  bad: z.array(z.object({ digest, reason: z.string() })),
  /** The last endings by id, oldest first. */
  outcomes: z.array(z.object({ id: z.string(), outcome: outcomeSchema })),
});

export type State = z.output<typeof stateSchema>;

export const emptyState: State = { assignment: 0, previous: [], bad: [], outcomes: [] };

/** What happened, as the journal keeps it: first written, then true. */
export const eventSchema = z.discriminatedUnion("type", [
  z.object({ type: z.literal("accepted"), next: installedSchema, retry: z.boolean() }),
  /** The same deployment was asked for by a newer assignment. */
  z.object({ type: z.literal("renewed"), assignment: z.int(), unchanged: z.boolean() }),
  z.object({
    type: z.literal("refused"),
    id: z.string(),
    assignment: z.int(),
    code: z.string(),
    message: z.string(),
  }),
  z.object({ type: z.literal("begun"), plan: planSchema }),
  z.object({
    type: z.literal("activationBegun"),
    configurations: z.record(z.string(), digest),
    tolerated: z.record(z.string(), z.array(z.string())),
  }),
  z.object({ type: z.literal("trialBegun"), remainingMs: z.number() }),
  z.object({ type: z.literal("timeSpent"), remainingMs: z.number() }),
  /** The agent ends in order, and comes back. */
  z.object({ type: z.literal("suspended") }),
  z.object({ type: z.literal("resumed"), interrupted: z.boolean(), remainingMs: z.number() }),
  z.object({ type: z.literal("trialPassed"), remainingMs: z.number() }),
  z.object({ type: z.literal("committed") }),
  z.object({
    type: z.literal("undoBegun"),
    cause: causeSchema,
    blame: z.boolean(),
    superseded: z.boolean(),
  }),
  z.object({ type: z.literal("undone") }),
]);

export type Event = z.output<typeof eventSchema>;

/** Bounds of what is remembered. */
const kept = { previous: 2, bad: 50, outcomes: 50 } as const;

/** The state after `event`. Pure; an event that does not fit the state leaves it as it is. */
export function evolve(state: State, event: Event): State {
  const { attempt } = state;
  switch (event.type) {
    case "accepted": {
      const replaced = state.next ? ended(state, state.next, { kind: "superseded" }) : state;
      return {
        ...replaced,
        assignment: event.next.assignment,
        next: event.next,
        bad: event.retry ? without(state.bad, event.next.digest) : state.bad,
      };
    }
    case "renewed": {
      const renew = (installed: Installed): Installed => ({
        ...installed,
        assignment: event.assignment,
      });
      const renewed = { ...state, assignment: event.assignment };
      if (event.unchanged && state.running) {
        const running = renew(state.running);
        const { next, ...rest } = renewed;
        const waits = next && next.digest !== running.digest ? { next } : {};
        return ended({ ...rest, ...waits, running }, running, { kind: "unchanged" });
      }
      // Whoever waits for the older assignment learns that a newer one took its place.
      const older = state.next ?? attempt?.to;
      if (!older) return renewed;
      const told = ended(renewed, older, { kind: "superseded" });
      if (state.next) return { ...told, next: renew(state.next) };
      return attempt ? { ...told, attempt: { ...attempt, to: renew(attempt.to) } } : told;
    }
    case "refused": {
      const { id, code, message } = event;
      return {
        ...state,
        assignment: Math.max(state.assignment, event.assignment),
        outcomes: remember(state.outcomes, { id, outcome: { kind: "refused", code, message } }),
      };
    }
    case "begun": {
      const stale =
        state.next?.digest !== event.plan.to || state.running?.digest !== event.plan.basedOn;
      if (!state.next || stale) return state;
      const { next, ...rest } = state;
      return {
        ...rest,
        attempt: {
          ...(state.running ? { from: state.running } : {}),
          to: next,
          plan: event.plan,
          phase: "staging",
          tolerated: {},
          remainingMs: 0,
          interruptions: 0,
          suspended: false,
          resumed: false,
        },
      };
    }
    case "activationBegun": {
      if (!attempt) return state;
      const { configurations, tolerated } = event;
      return {
        ...state,
        attempt: {
          ...attempt,
          phase: "activating",
          tolerated,
          to: { ...attempt.to, configurations },
        },
      };
    }
    case "trialBegun":
      return attempt
        ? { ...state, attempt: { ...attempt, phase: "trial", remainingMs: event.remainingMs } }
        : state;
    case "timeSpent":
      return attempt
        ? { ...state, attempt: { ...attempt, remainingMs: event.remainingMs } }
        : state;
    case "suspended":
      return attempt ? { ...state, attempt: { ...attempt, suspended: true } } : state;
    case "resumed":
      return attempt
        ? {
            ...state,
            attempt: {
              ...attempt,
              suspended: false,
              resumed: true,
              remainingMs: event.remainingMs,
              interruptions: attempt.interruptions + (event.interrupted ? 1 : 0),
            },
          }
        : state;
    case "trialPassed":
      return attempt
        ? {
            ...state,
            running: attempt.to,
            attempt: { ...attempt, phase: "probation", remainingMs: event.remainingMs },
          }
        : state;
    case "committed": {
      if (!attempt) return state;
      const { attempt: _, ...rest } = state;
      const previous = attempt.from
        ? [attempt.from, ...without(state.previous, attempt.from.digest)]
        : state.previous;
      return ended(
        {
          ...rest,
          running: attempt.to,
          previous: without(previous, attempt.to.digest).slice(0, kept.previous),
        },
        attempt.to,
        { kind: "committed" },
      );
    }
    case "undoBegun": {
      if (!attempt) return state;
      const { type: _, ...undo } = event;
      const activated = attempt.phase !== "staging";
      return { ...state, attempt: { ...attempt, phase: "undoing", undo: { ...undo, activated } } };
    }
    case "undone": {
      if (!attempt?.undo) return state;
      const { attempt: _, running: __, ...rest } = state;
      const { cause, blame, superseded } = attempt.undo;
      const { from, to } = attempt;
      return ended(
        {
          ...rest,
          ...(from ? { running: from } : {}),
          // What runs is never called bad, whatever became of a try to bring it about again.
          bad:
            blame && from?.digest !== to.digest
              ? [
                  ...without(state.bad, to.digest),
                  { digest: to.digest, reason: cause.message },
                ].slice(-kept.bad)
              : state.bad,
        },
        to,
        superseded
          ? { kind: "superseded" }
          : { kind: "reverted", cause, ...(from ? { to: from.deployment.version } : {}) },
      );
    }
  }
}

/** The id under which a caller asks for the ending of what an assignment began. */
export function idOf(assignment: number): string {
  return String(assignment);
}

/** What a deployment is called, and what it is. */
export function labelOf({ digest, deployment: { name, version } }: Installed): Label {
  return { name, version, digest };
}

function ended(state: State, installed: Installed, outcome: Outcome): State {
  return {
    ...state,
    outcomes: remember(state.outcomes, { id: idOf(installed.assignment), outcome }),
  };
}

function remember(
  outcomes: State["outcomes"],
  entry: State["outcomes"][number],
): State["outcomes"] {
  return [...outcomes.filter(({ id }) => id !== entry.id), entry].slice(-kept.outcomes);
}

function without<Entry extends { readonly digest: Digest }>(
  entries: readonly Entry[],
  digest: Digest,
): Entry[] {
  return entries.filter((entry) => entry.digest !== digest);
}
