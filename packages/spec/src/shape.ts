/** Lists and maps inside one another that a document may have at most. */
export const deepest = 100;

/** What makes a value unfit for every schema, and where. */
export interface BadShape {
  readonly message: string;
  /** Keys from the root to the map or list that is meant. */
  readonly path: readonly (string | number)[];
  readonly key?: string;
}

/**
 * Finds what a schema would not: a `__proto__` key (a schema's record drops it in silence, so
 * that what was signed is not what is used) and nesting that would exhaust the stack, a cycle
 * of aliases among it: depth comes first, so that every walk ends.
 */
export function badShape(root: unknown): BadShape | undefined {
  const open: { value: unknown; path: readonly (string | number)[] }[] = [
    { value: root, path: [] },
  ];
  for (let next = open.pop(); next; next = open.pop()) {
    const { value, path } = next;
    if (typeof value !== "object" || value === null) continue;
    if (path.length > deepest) {
      const message = `lists and maps are nested more than ${deepest} deep; a document is flatter`;
      return { message, path: path.slice(0, 5) };
    }
    if (Object.hasOwn(value, "__proto__")) {
      return { message: `"__proto__" is no key that a document may have`, path, key: "__proto__" };
    }
    const entries = Array.isArray(value) ? value.entries() : Object.entries(value);
    for (const [key, child] of entries) {
      if (typeof child === "object") open.push({ value: child, path: [...path, key] });
    }
  }
  return undefined;
}
