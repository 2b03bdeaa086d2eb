import type { Variables } from "./validate.ts";

/** What one party sets. */
export interface Layer {
  /** Who that is, as people read it: "deployment", "local override". */
  readonly from: string;
  readonly variables: Variables;
}

/** A value and who set it. */
export interface Setting {
  readonly value: string;
  readonly from: string;
}

/** The value that holds, and those that it goes over, nearest first. */
export interface Layered extends Setting {
  readonly over: readonly Setting[];
}

/** Puts `layers` over each other, lowest first; in the order of the names. */
export function merge(layers: readonly Layer[]): ReadonlyMap<string, Layered> {
  const values = new Map<string, Layered>();
  for (const { from, variables } of layers) {
    for (const [name, value] of Object.entries(variables)) {
      const below = values.get(name);
      const over = below ? [{ value: below.value, from: below.from }, ...below.over] : [];
      values.set(name, { value, from, over });
    }
  }
  return new Map([...values].sort(([a], [b]) => (a < b ? -1 : 1)));
}
