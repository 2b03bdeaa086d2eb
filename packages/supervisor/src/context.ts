import type { Clock, Events, Logger } from "@roboticks/core";
import type { Exit } from "./exit.ts";
import type { ProcessTable } from "./processes/table.ts";
import type { RestartPolicy } from "./restart-policy.ts";

/** What every event says: whom it is about. */
interface Subject {
  readonly name: string;
  readonly tag: string;
}

/** What a supervisor tells, by event. */
export interface SupervisorEvents {
  /** The program was started, for the first time or again. */
  readonly started: Subject & { readonly pid: number };
  /** A program that an earlier supervisor had started was found running. */
  readonly adopted: Subject & { readonly pid: number };
  /** The program ended, whatever happens next. */
  readonly exited: Subject & { readonly exit: Exit };
  /** It will be started again, `delayMs` from now. */
  readonly restarting: Subject & { readonly delayMs: number };
  /** It ends again and again. Told once a loop; the restarts go on, at the longest pause. */
  readonly crashLooped: Subject & { readonly lastExit: Exit };
  /** `stop` is done: the whole tree is gone. */
  readonly stopped: Subject & { readonly exit: Exit | undefined };
}

/** What the parts of one supervisor share. */
export interface Context {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly events: Events<SupervisorEvents>;
  readonly table: ProcessTable;
  /** Path of the `setsid` program, or empty. */
  readonly setsid: string;
  readonly policy: RestartPolicy;
  /** This boot. */
  readonly boot: string;
  /** Aborted when the supervisor is disposed, with the error that those who wait get. */
  readonly closed: AbortSignal;
}
