import type { VariablesSchema } from "./schema.ts";

/** What a schema says of variables by name. */
export interface Names {
  /** The variables that it names, wherever in it. */
  readonly known: readonly string[];
  /** Those whose value must not be shown: `writeOnly: true`. */
  readonly hidden: ReadonlySet<string>;
}

type Node = Readonly<Record<string, unknown>>;

/**
 * The names in every `properties` of `schema`. All of them count: a secret that is declared in
 * an `allOf` is as secret as one at the top.
 */
export function namesOf(schema: VariablesSchema): Names {
  const known = new Set<string>();
  const hidden = new Set<string>();
  const rest: Node[] = [schema];
  for (let node = rest.pop(); node; node = rest.pop()) {
    for (const [key, value] of Object.entries(node)) {
      if (!isNode(value)) continue;
      if (key !== "properties") {
        rest.push(value);
        continue;
      }
      for (const [name, property] of Object.entries(value)) {
        known.add(name);
        if (!isNode(property)) continue;
        rest.push(property);
        if (isHidden(property, schema, new Set())) hidden.add(name);
      }
    }
  }
  return { known: [...known], hidden };
}

/** Whether a property, or what it refers to, is `writeOnly`. In doubt it is. */
function isHidden(property: Node, root: Node, seen: Set<Node>): boolean {
  if (seen.has(property)) return false;
  seen.add(property);
  if (property.writeOnly === true) return true;
  if (typeof property.$ref === "string") {
    const target = resolve(property.$ref, root);
    if (!target || isHidden(target, root, seen)) return true;
  }
  return ["allOf", "anyOf", "oneOf"].some((key) => {
    const parts: unknown = property[key];
    return Array.isArray(parts) && parts.some((part) => isNode(part) && isHidden(part, root, seen));
  });
}

/** What a `$ref` by JSON Pointer (RFC 6901) names; `undefined` for every other kind. */
function resolve(reference: string, root: Node): Node | undefined {
  if (!reference.startsWith("#/")) return reference === "#" ? root : undefined;
  let here: unknown = root;
  for (const part of reference.slice(2).split("/")) {
    const key = decodeURIComponent(part).replaceAll("~1", "/").replaceAll("~0", "~");
    if (!isNode(here) || !Object.hasOwn(here, key)) return undefined;
    here = here[key];
  }
  return isNode(here) ? here : undefined;
}

/** Arrays count: what is in them is found by index. */
function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null;
}
