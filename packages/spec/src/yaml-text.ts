import {
  Composer,
  type CST,
  isMap,
  isScalar,
  LineCounter,
  Parser,
  Scalar,
  visit,
  type Document as YamlDocument,
} from "yaml";
import type { Problem } from "./errors.ts";
import { deepest } from "./shape.ts";

/** Where something stands; empty where the document was no text. */
export type Place = Pick<Problem, "line" | "column">;

/** Finds the value at `path`, or the key `key` of the map there. */
export type PlaceOf = (path: readonly (string | number)[], key?: string) => Place;

/** What a text holds, or what keeps it from being read. */
export type YamlText =
  | { readonly value: unknown; readonly placeOf: PlaceOf }
  | { readonly problems: readonly Problem[] };

/**
 * Reads YAML 1.2 (and so JSON), one document, in time that grows with the text's length: the
 * library's own check for duplicate keys is quadratic, and its composer recurses.
 */
export function readYamlText(text: string): YamlText {
  const lines = new LineCounter();
  const placeAt = (offset: number): Place => {
    const { line, col } = lines.linePos(offset);
    return { line, column: col };
  };
  const refuse = (code: Problem["code"], message: string, offset: number): Problem => ({
    code,
    message,
    path: [],
    ...placeAt(offset),
  });

  const tokens = [...new Parser(lines.addNewLine).parse(text)];
  const tooDeep = offsetBelow(tokens, deepest);
  if (tooDeep !== undefined) {
    const message = `lists and maps are nested more than ${deepest} deep; a document is flatter`;
    return { problems: [refuse("ERR_SPEC_SYNTAX", message, tooDeep)] };
  }
  const options = { uniqueKeys: false, stringKeys: true, prettyErrors: false } as const;
  const [document, second] = [...new Composer(options).compose(tokens, true, text.length)];
  if (!document) return { value: null, placeOf: () => ({}) };
  if (second) {
    const message = "a second document begins here; one file holds one";
    return { problems: [refuse("ERR_SPEC_SYNTAX", message, second.range[0])] };
  }
  const problems = [...document.errors, ...document.warnings].map((error) =>
    refuse("ERR_SPEC_SYNTAX", error.message, error.pos[0]),
  );
  if (problems.length > 0) return { problems };
  for (const { code, message, offset } of judge(document)) {
    problems.push(refuse(code, message, offset));
  }
  if (problems.length > 0) return { problems };
  try {
    const value: unknown = document.toJS({ maxAliasCount: 100 });
    const placeOf: PlaceOf = (path, key) => {
      const offset = offsetOf(document, path, key);
      return offset === undefined ? {} : placeAt(offset);
    };
    return { value, placeOf };
  } catch {
    // What is left to go wrong once the text is composed: aliases that lead nowhere or multiply.
    const message = "its aliases (*name) stand for too much, or for nothing; write the values out";
    return { problems: [{ code: "ERR_SPEC_SYNTAX", message, path: [] }] };
  }
}

/** Where the first list or map begins that has more than `limit` around it. */
function offsetBelow(tokens: readonly CST.Token[], limit: number): number | undefined {
  const open = tokens.map((token) => ({ token, depth: 0 }));
  for (let next = open.pop(); next; next = open.pop()) {
    const { token, depth } = next;
    if (depth > limit) return token.offset;
    if (token.type === "document") {
      if (token.value) open.push({ token: token.value, depth });
    } else if ("items" in token) {
      for (const { key, value } of token.items) {
        if (key) open.push({ token: key, depth: depth + 1 });
        if (value) open.push({ token: value, depth: depth + 1 });
      }
    }
  }
  return undefined;
}

type Finding = Pick<Problem, "code" | "message"> & { readonly offset: number };

/** What is good YAML, and would not mean what its author thinks. */
function judge(document: YamlDocument.Parsed): readonly Finding[] {
  const findings: Finding[] = [];
  visit(document, {
    Map(_, map) {
      const seen = new Set<unknown>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) {
          findings.push({
            code: "ERR_SPEC_SYNTAX",
            message: `key "${key.value}" stands twice; keep one`,
            offset: key.range?.[0] ?? 0,
          });
        }
        seen.add(key.value);
      }
    },
    Scalar(key, scalar) {
      // `1.10` would become 1.1, and a long number another one.
      const { value, source, type } = scalar;
      const plain = type === Scalar.PLAIN && key !== "key";
      if (!plain || (typeof value !== "number" && typeof value !== "boolean")) return;
      if (source === undefined || source === String(value)) return;
      findings.push({
        code: "ERR_SPEC_INVALID",
        message: `${source} is read as ${value}; write that, or "${source}" if text is meant`,
        offset: scalar.range?.[0] ?? 0,
      });
    },
  });
  return findings;
}

function offsetOf(
  document: YamlDocument,
  path: readonly (string | number)[],
  key?: string,
): number | undefined {
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  if (key !== undefined && isMap(node)) {
    const pair = node.items.find((item) => isScalar(item.key) && item.key.value === key);
    if (pair && isScalar(pair.key)) return pair.key.range?.[0];
  }
  return (node as { range?: readonly number[] | null } | undefined)?.range?.[0];
}
