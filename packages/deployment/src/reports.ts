import { Events } from "@roboticks/core";
import { type Report, reportSchema } from "@roboticks/spec/report";
import {
  append,
  type Change,
  type Collection,
  type Journal,
  put,
  type Store,
  truncate,
} from "@roboticks/store";
import * as z from "zod";

/** A report before it has a number. */
export type NewReport = Omit<Report, "seq">;

const reports: Journal<NewReport> = {
  name: "deployment-reports",
  schema: reportSchema.omit({ seq: true }),
};

/** What is added to the journal's own numbers; see {@link ReportOutbox.acknowledge}. */
const offsets: Collection<number> = {
  name: "deployment-report-offset",
  schema: z.int().min(0),
};
const offsetKey = "offset";

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
    const offset = await this.#offset();
    const records = await this.#store.read(reports, { limit });
    return records.map(({ seq, record }) => ({ ...record, seq: seq + offset }));
  }

  /**
   * Forgets the reports up to and including `seq`, as far as they were sent: `sent` is the
   * number of the last one.
   *
   * A greater `seq` means that the platform remembers more than this outbox ever said: the
   * store was lost and begins anew. Then nothing is forgotten, but the waiting reports get
   * numbers beyond it, so that they are not taken for ones that it has.
   *
   * @returns whether they were kept; if not, send them again
   */
  async acknowledge(seq: number, sent: number): Promise<boolean> {
    const offset = await this.#offset();
    if (seq <= sent) {
      await this.#store.write([truncate(reports, seq - offset + 1)]);
      return true;
    }
    const [first] = await this.#store.read(reports, { limit: 1 });
    await this.#store.write([put(offsets, offsetKey, seq + 1 - (first?.seq ?? 1))]);
    return false;
  }

  async #offset(): Promise<number> {
    return (await this.#store.get(offsets, offsetKey)) ?? 0;
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
