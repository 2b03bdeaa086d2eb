import { createCipheriv } from "node:crypto";
import { type Content, hello } from "./scratch.ts";

/** Bytes that do not compress, and are the same in every run. */
export function noise(size: number): Buffer {
  const cipher = createCipheriv("aes-128-ctr", Buffer.alloc(16), Buffer.alloc(16));
  return cipher.update(Buffer.alloc(size));
}

const long = "n".repeat(250);
const deep = Array.from({ length: 60 }, (_, index) => `d${index}`).join("/");

/** Trees at the edges of what tar can say. */
export const oddTrees: readonly (readonly [string, Readonly<Record<string, Content>>])[] = [
  ["a program", hello],
  [
    "empty files, files of a block, and of one byte more or less",
    { ...hello, a: "", b: noise(511), c: noise(512), d: noise(513) },
  ],
  [
    "names of 99, 100, 101 and 250 bytes",
    {
      ...hello,
      [long.slice(0, 99)]: "99",
      [long.slice(0, 100)]: "100",
      [long.slice(0, 101)]: "101",
      [long]: "250",
    },
  ],
  [
    "a long path that no ustar prefix holds",
    { ...hello, [`${long}/${long}/${long}`]: "x", [`${long}/${"m".repeat(99)}`]: "y" },
  ],
  ["a deep path", { ...hello, [`${deep}/file`]: "x" }],
  [
    "names beyond ASCII, spaces, and what shells mind",
    { ...hello, "größe/日本 語.txt": "x", "-rf *": "y", "$(id)'\"": "z", "🤖": "beep" },
  ],
  [
    "links, chains of them, and long ones",
    {
      ...hello,
      "lib/a.so": { link: "a.so.1" },
      "lib/a.so.1": { link: "../bin/hello" },
      [`x/${long}`]: "x",
      l: { link: `x/${long}` },
      größe: { link: "./bin/../bin/hello" },
      nothing: { link: "not/there" },
    },
  ],
  [
    "order by bytes",
    {
      ...hello,
      "a-b": "1",
      "a/b": "2",
      "a.b": "3",
      B: "4",
      é: "5",
      "\uffe0": "6",
      "\u{10000}": "7",
    },
  ],
  [
    "files around the size of a frame",
    { ...hello, a: noise(4 * 2 ** 20 - 1), b: noise(2 ** 20), c: Buffer.alloc(9 * 2 ** 20) },
  ],
];
