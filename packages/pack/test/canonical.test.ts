import { expect, it } from "vitest";
import { canonicalJson } from "../src/canonical.ts";

it.each([
  [{ b: 1, a: [true, null, "x"], c: undefined }, '{"a":[true,null,"x"],"b":1}'],
  [{ "\u20ac": 1, "\r": 2, "1": 3, "": 4 }, '{"":4,"\\r":2,"1":3,"\u20ac":1}'],
  [{ z: { y: { x: {} } }, a: [] }, '{"a":[],"z":{"y":{"x":{}}}}'],
  [[1e21, 0.1, -0, 1e-7], "[1e+21,0.1,0,1e-7]"],
  [JSON.parse('{"b":1,"__proto__":{"a":1}}'), '{"__proto__":{"a":1},"b":1}'],
])("%j has one spelling", (value, text) => expect(canonicalJson(value)).toBe(text));
