import { describe, expect, it } from "vitest";
import { ResponseReader } from "../src/probes/http-response.ts";

/** What comes of `answer` when it arrives in pieces of `size` bytes and then the connection ends. */
function read(answer: string | Buffer, size = Number.MAX_SAFE_INTEGER, method = "GET") {
  const reader = new ResponseReader({ method });
  const bytes = Buffer.from(answer);
  for (let at = 0; at < bytes.length; at += size) reader.push(bytes.subarray(at, at + size));
  reader.end();
  const { stage, problem, status, body } = reader;
  return { stage, problem, status, body: body.toString() };
}

describe("an answer", () => {
  const answers = {
    "with a length": "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello and more",
    "in chunks":
      "HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n2\r\nhe\r\n3;x=y\r\nllo\r\n0\r\n\r\n",
    "up to the end": "HTTP/1.0 200 OK\r\nserver: x\r\n\r\nhello",
    "after interim ones":
      "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 200\r\ncontent-length:5\r\n\r\nhello",
  };
  it.each(Object.entries(answers))("%s is the same in pieces of any size", (_, answer) => {
    for (let size = 1; size <= answer.length; size++) {
      expect(read(answer, size), `pieces of ${size}`).toEqual({
        stage: "complete",
        problem: "",
        status: 200,
        body: "hello",
      });
    }
  });

  it("without a body needs none", () => {
    expect(read("HTTP/1.1 204 No Content\r\n\r\n").stage).toBe("complete");
    expect(read("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n", 1, "HEAD").stage).toBe("complete");
    expect(read("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").stage).toBe("complete");
  });

  it.each([
    ["", "the connection was closed without an answer"],
    [
      "HTTP/1.1 200 OK\r\nserver:",
      "the connection was closed before the answer's head was complete",
    ],
    [
      "HTTP/1.1 100 Continue\r\n\r\n",
      "the connection was closed before the answer's head was complete",
    ],
    ["SSH-2.0-OpenSSH_9.2\r\n", 'not an HTTP answer: it begins with "SSH-2"'],
    [Buffer.from([0x15, 3, 1, 0, 2, 0x9b]), 'not an HTTP answer: it begins with "?????"'],
    ["HTTP/2 200 OK\r\n\r\n", 'malformed status line "HTTP/2 200 OK"'],
    ["HTTP/1.1 20 OK\r\n\r\n", 'malformed status line "HTTP/1.1 20 OK"'],
    ["HTTP/1.1 200 OK\r\nno colon\r\n\r\n", 'malformed header "no colon"'],
    ["HTTP/1.1 200 OK\r\ncontent-length: -1\r\n\r\n", 'malformed content-length "-1"'],
    [
      "HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n",
      'malformed content-length "2"',
    ],
    [
      "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhello",
      "the connection was closed before the body was complete",
    ],
    [
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhel",
      "the connection was closed before the body was complete",
    ],
    [
      "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
      'malformed chunk: "xyz" is no size',
    ],
  ])("%j is refused", (answer, problem) => {
    for (const size of [7, 1_000]) {
      expect(read(answer, size)).toMatchObject({ stage: "malformed", problem });
    }
    expect(read(answer, 1).stage).toBe("malformed");
  });

  it("cannot make the reader keep more than its limits", () => {
    const endless = `HTTP/1.1 200 OK\r\n${`x: ${"y".repeat(100)}\r\n`.repeat(1_000)}`;
    expect(read(endless, 1_000).problem).toBe("the answer's head is longer than 16 kB");
    const interim = "HTTP/1.1 100 Continue\r\n\r\n".repeat(2_000);
    expect(read(interim, 1_000).problem).toBe("the answer's head is longer than 16 kB");
    const long = read(`HTTP/1.1 200 OK\r\n\r\n${"z".repeat(1e6)}`, 1_000);
    expect(long).toMatchObject({ stage: "complete", status: 200 });
    expect(long.body).toHaveLength(65_536);
    const size = `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n${"0".repeat(5_000)}`;
    expect(read(size, 100).stage).toBe("malformed");
  });
});
