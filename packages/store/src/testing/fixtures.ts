import type { StandardSchema } from "../schema.ts";
import type { Collection, Journal, Store } from "../store.ts";

/** One rule that every store keeps. */
export interface StoreCase {
  readonly name: string;
  /**
   * `open` opens the same place at every call, empty at the first. The case closes what it
   * opens.
   */
  run(open: () => Promise<Store>): Promise<void>;
}

export interface Robot {
  readonly wheels: number;
  readonly note?: string;
}

export const anything: StandardSchema = {
  "~standard": { version: 1, vendor: "roboticks", validate: (value) => ({ value }) },
};

/** Fits objects with a number of wheels; takes its time, as schemas may. */
export const robotSchema: StandardSchema<unknown, Robot> = {
  "~standard": {
    version: 1,
    vendor: "roboticks",
    async validate(value) {
      const isRobot = typeof value === "object" && value !== null && "wheels" in value;
      if (!isRobot || typeof value.wheels !== "number") {
        return { issues: [{ message: "expected a number", path: ["wheels"] }] };
      }
      return { value: { ...value, wheels: value.wheels } };
    },
  },
};

export const robots: Collection<Robot> = { name: "robots", schema: robotSchema };
export const loose: Collection<unknown> = { name: "robots", schema: anything };
export const steps: Journal<Robot> = { name: "steps", schema: robotSchema };
export const looseSteps: Journal<unknown> = { name: "steps", schema: anything };

export const invalid = { code: "ERR_STORE_INVALID" };
export const closed = { code: "ERR_STORE_CLOSED" };
