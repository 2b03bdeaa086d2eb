/** The status line and headers of an answer may be this long together, interim answers included. */
const longestHead = 16 * 1024;
/** So much of a body is read; what a check looks for has to stand there. */
export const longestBody = 64 * 1024;
/** A chunk's size line, extensions included. */
const longestSizeLine = 1024;

const nothing: Buffer = Buffer.alloc(0);

/** How the end of a body is known. */
type Framing = number | "chunked" | "close";

/**
 * Reads one HTTP/1.x answer from whatever pieces it comes in, as far as a check needs it:
 *
 * ```
 * head ──▶ body ──▶ complete
 *   └────────┴────▶ malformed
 * ```
 */
export class ResponseReader {
  stage: "head" | "body" | "complete" | "malformed" = "head";
  /** What is wrong, when `stage` is `malformed`. */
  problem = "";
  /** 0 until the head is there. */
  status = 0;
  statusText = "";
  /** What is there of the body, without its framing, at most {@link longestBody}. */
  body: Buffer = nothing;
  readonly #bodiless: boolean;
  #rest: Buffer = nothing;
  #headRead = 0;
  #framing: Framing = "close";
  /** Bytes of the current chunk that are still to come, its line end included. */
  #chunkLeft = 0;

  constructor({ method }: { readonly method: string }) {
    this.#bodiless = method === "HEAD";
  }

  /** Takes the next bytes. */
  push(bytes: Buffer): void {
    if (this.stage === "complete" || this.stage === "malformed") return;
    const from = Math.max(0, this.#rest.length - 3);
    this.#rest = this.#rest.length > 0 ? Buffer.concat([this.#rest, bytes]) : bytes;
    if (this.stage === "head") this.#readHead(from);
    if (this.stage === "body") this.#readBody();
  }

  /** The connection is closed: no more will come. */
  end(): void {
    if (this.stage === "body" && this.#framing === "close") this.stage = "complete";
    else if (this.stage === "head") {
      this.#refuse(
        this.#rest.length + this.#headRead === 0
          ? "the connection was closed without an answer"
          : "the connection was closed before the answer's head was complete",
      );
    } else if (this.stage === "body") {
      this.#refuse("the connection was closed before the body was complete");
    }
  }

  #refuse(problem: string): void {
    this.stage = "malformed";
    this.problem = problem;
  }

  #readHead(from: number): void {
    for (let searched = from; this.stage === "head"; searched = 0) {
      // Told by the first bytes: what speaks another protocol may never send an empty line.
      const start = this.#rest.toString("latin1", 0, 5);
      const end = this.#rest.indexOf("\r\n\r\n", searched);
      const length = this.#headRead + (end < 0 ? this.#rest.length : end);
      if (!"HTTP/".startsWith(start)) {
        this.#refuse(`not an HTTP answer: it begins with ${quoted(start)}`);
      } else if (length > longestHead) {
        this.#refuse(`the answer's head is longer than ${longestHead / 1024} kB`);
      } else if (end < 0) {
        return;
      } else {
        const head = this.#rest.toString("latin1", 0, end);
        this.#headRead += end + 4;
        this.#rest = this.#rest.subarray(end + 4);
        this.#takeHead(head);
      }
    }
  }

  #takeHead(head: string): void {
    const [statusLine = "", ...fields] = head.split("\r\n");
    const match = /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/.exec(statusLine);
    const framing = framingOf(fields);
    if (!match) {
      this.#refuse(`malformed status line ${quoted(statusLine)}`);
    } else if (typeof framing === "object") {
      this.#refuse(framing.problem);
    } else if (isFinal(Number(match[1]))) {
      this.status = Number(match[1]);
      this.statusText = match[2] ?? "";
      this.#framing = framing;
      const empty = this.#bodiless || [204, 304].includes(this.status) || framing === 0;
      this.stage = empty ? "complete" : "body";
    }
  }

  #readBody(): void {
    if (this.#framing === "chunked") {
      while (this.stage === "body" && this.#rest.length > 0 && this.#readChunk());
      return;
    }
    const left = this.#framing === "close" ? this.#rest.length : this.#framing - this.body.length;
    this.#keep(this.#rest.subarray(0, left));
    this.#rest = nothing;
    if (this.#framing !== "close" && this.body.length >= this.#framing) this.stage = "complete";
  }

  /** Reads a size line or a piece of a chunk; false where more bytes are needed first. */
  #readChunk(): boolean {
    if (this.#chunkLeft > 0) {
      const bytes = this.#rest.subarray(0, this.#chunkLeft);
      // The last two bytes of what is left are the line end.
      this.#keep(bytes.subarray(0, Math.max(0, this.#chunkLeft - 2)));
      this.#chunkLeft -= bytes.length;
      this.#rest = this.#rest.subarray(bytes.length);
      return true;
    }
    const end = this.#rest.indexOf("\r\n");
    if (end < 0 && this.#rest.length <= longestSizeLine) return false;
    const line = this.#rest.toString("latin1", 0, Math.max(0, end));
    const size = /^([0-9a-fA-F]{1,8})[ \t]*(?:;.*)?$/.exec(line);
    if (!size || line.length > longestSizeLine) {
      this.#refuse(`malformed chunk: ${quoted(line)} is no size`);
      return false;
    }
    this.#rest = this.#rest.subarray(end + 2);
    const length = Number.parseInt(size[1] ?? "", 16);
    if (length === 0) this.stage = "complete";
    else this.#chunkLeft = length + 2;
    return true;
  }

  /** Adds to the body; at its limit the rest no longer matters. */
  #keep(bytes: Buffer): void {
    this.body = Buffer.concat([this.body, bytes.subarray(0, longestBody - this.body.length)]);
    if (this.body.length >= longestBody) this.stage = "complete";
  }
}

/** Not one of those that announce the answer, such as 103 Early Hints. */
function isFinal(status: number): boolean {
  return status === 101 || status < 100 || status >= 200;
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 80).replace(/[^\x20-\x7e]/g, "?"));
}

function framingOf(fields: readonly string[]): Framing | { readonly problem: string } {
  let length: number | undefined;
  let chunked = false;
  for (const field of fields) {
    const match = /^([^\s:]+):[ \t]*(.*?)[ \t]*$/.exec(field);
    if (!match) return { problem: `malformed header ${quoted(field)}` };
    const [, name = "", value = ""] = match;
    if (name.toLowerCase() === "transfer-encoding") {
      chunked = /(?:^|,[ \t]*)chunked$/i.test(value);
    } else if (name.toLowerCase() === "content-length") {
      const repeated = length !== undefined && length !== Number(value);
      if (!/^\d{1,15}$/.test(value) || repeated) {
        return { problem: `malformed content-length ${quoted(value)}` };
      }
      length = Number(value);
    }
  }
  return chunked ? "chunked" : (length ?? "close");
}
