import { spawn } from "node:child_process";
import { styleText } from "node:util";
import { formatDuration } from "@roboticks/core";
import { CliError } from "../errors.ts";
import { executable } from "../executables.ts";
import { table } from "../output.ts";

interface Step {
  readonly title: string;
  readonly tookMs: number;
}

/** What the tour shows: a heading a step, commands as a user types them, and what was checked. */
export class Screen {
  readonly #contextFile: string;
  readonly #signal: AbortSignal;
  readonly #steps: Step[] = [];

  constructor({ contextFile, signal }: { contextFile: string; signal: AbortSignal }) {
    this.#contextFile = contextFile;
    this.#signal = signal;
  }

  /** Does a step below its heading, and takes its time. */
  async step<Result>(title: string, work: () => Promise<Result>): Promise<Result> {
    this.line(`\n${styleText("bold", `${this.#steps.length + 1}  ${title}`)}`);
    const beganAt = performance.now();
    try {
      const result = await work();
      this.#steps.push({ title, tookMs: performance.now() - beganAt });
      return result;
    } catch (error) {
      if (!(error instanceof CliError) || error.code !== "ERR_CLI_TOUR") throw error;
      const number = this.#steps.length + 1;
      const message = `step ${number} (${title}): ${error.message}`;
      throw new CliError("ERR_CLI_TOUR", message, { cause: error });
    }
  }

  /** Says what was seen in the world. */
  checked(text: string): void {
    this.line(`  ${styleText("green", "✓")} ${text}`);
  }

  /** Says what the tour does itself. */
  does(text: string): void {
    this.line(`  ${styleText("dim", "…")} ${text}`);
  }

  /** Runs `roboticks` with `args`, shown as typed, its output below; returns its exit status. */
  async roboticks(...args: readonly string[]): Promise<number> {
    this.line(`  ${styleText("cyan", `$ roboticks ${args.join(" ")}`)}`);
    const child = spawn(executable("roboticks"), args, {
      stdio: ["ignore", "pipe", "pipe"],
      env: { ...process.env, ROBOTICKS_CONTEXT: this.#contextFile },
      signal: this.#signal,
    });
    const show = lines((line) => this.line(`    ${line}`));
    child.stdout.setEncoding("utf8").on("data", show);
    child.stderr.setEncoding("utf8").on("data", show);
    return await new Promise<number>((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => resolve(code ?? 1));
    });
  }

  /** The table of what was done and how long each step took. */
  summary(): string {
    const total = this.#steps.reduce((sum, { tookMs }) => sum + tookMs, 0);
    const rows = this.#steps.map(({ title, tookMs }, index) => [
      String(index + 1),
      title,
      formatDuration(tookMs),
    ]);
    return table(["", "SHOWN", "TOOK"], [...rows, ["", "", formatDuration(total)]]);
  }

  line(text: string): void {
    process.stdout.write(`${text}\n`);
  }
}

/** Calls `each` for every whole line of the text that comes in pieces. */
function lines(each: (line: string) => void): (text: string) => void {
  let rest = "";
  return (text) => {
    const parts = (rest + text).split("\n");
    rest = parts.pop() ?? "";
    for (const part of parts) each(part);
  };
}
