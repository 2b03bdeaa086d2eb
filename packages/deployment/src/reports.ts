import { Events } from "@roboticks/core";
import { type Report, reportSchema } from "@roboticks/spec/report";
import { append, type Change, type Journal, type Store, truncate } from "@roboticks/store";

/** A report before it has a number. */
export type NewReport = Omit<Report, "seq">;

const reports: Journal<NewReport> = {
  name: "deployment-reports",
  schema: reportSchema.omit({ seq: true }),
};

/** How many reports are kept for a platform that is not reached; the oldest go first. */
const kept = 1_000;

/** The change that puts `report` into the outbox, for the commit that makes it true. */
export function queueReport(report: NewReport): Change {
  return append(reports, report);
}

/**
 * What the platform is to be told, kept until it has acknowledged it. Reports go out in order;
 * their numbers only grow, so that one that arrives twice is known.
 */
export class ReportOutbox {
  readonly #store: Store;
  readonly #events = new Events<{ queued: undefined }>();

  constructor({ store }: { readonly store: Store }) {
    this.#store = store;
  }

  /** The oldest reports that are not acknowledged, at most `limit` (default 100). */
  async pending({ limit = 100 }: { readonly limit?: number } = {}): Promise<Report[]> {
    const records = await this.#store.read(reports, { limit });
    return records.map(({ seq, record }) => ({ ...record, seq }));
  }

  /** Forgets all reports up to and including `seq`. */
  async acknowledge(seq: number): Promise<void> {
    await this.#store.write([truncate(reports, seq + 1)]);
  }

  /** Drops the oldest reports where more than 1,000 wait. */
  async bound(): Promise<void> {
    const waiting = await this.#store.read(reports);
    const oldest = waiting[waiting.length - kept];
    if (oldest) await this.#store.write([truncate(reports, oldest.seq)]);
  }

  /** Calls `listener` whenever there may be something new to send. */
  on(name: "queued", listener: () => void): Disposable {
    return this.#events.on(name, listener);
  }

  /** Tells the listeners; called after a commit that queued a report. */
  announce(): void {
    this.#events.emit("queued", undefined);
  }
}
