import { ClientError } from "@roboticks/client";
import { describe, expect, it } from "vitest";
import { CliError, type CliErrorCode, cliErrorCodes } from "../src/errors.ts";
import { exitStatus, exitStatusOf } from "../src/exit-status.ts";

describe("exitStatusOf", () => {
  it.each([
    ["ERR_CLI_USAGE", 2],
    ["ERR_CLI_NO_CONTEXT", 2],
    ["ERR_CLI_UNKNOWN_CAPSULE", 5],
    ["ERR_CLI_TIMEOUT", 124],
  ] as const)("of %s is %i", (code, status) => {
    expect(exitStatusOf(new CliError(code, ""))).toBe(status);
  });

  it("of any other code of the command line is 1", () => {
    const special: readonly CliErrorCode[] = [
      "ERR_CLI_USAGE",
      "ERR_CLI_NO_CONTEXT",
      "ERR_CLI_UNKNOWN_CAPSULE",
      "ERR_CLI_TIMEOUT",
    ];
    for (const code of cliErrorCodes.filter((code) => !special.includes(code))) {
      expect([code, exitStatusOf(new CliError(code, ""))]).toEqual([code, 1]);
    }
  });

  it.each([
    [401, 4],
    [403, 4],
    [404, 5],
    [409, 1],
    [422, 1],
    [500, 1],
  ])("of a platform that answers %i is %i", (status, expected) => {
    expect(exitStatusOf(new ClientError("ERR_CLIENT_REFUSED", "", { status }))).toBe(expected);
  });

  it("of a platform that does not answer says whether it took too long", () => {
    expect(exitStatusOf(new ClientError("ERR_CLIENT_TIMEOUT", ""))).toBe(exitStatus.timeout);
    expect(exitStatusOf(new ClientError("ERR_CLIENT_UNREACHABLE", ""))).toBe(exitStatus.failed);
  });

  it("of anything else is 1", () => {
    expect(exitStatusOf(new Error("unexpected"))).toBe(exitStatus.failed);
    expect(exitStatusOf(undefined)).toBe(exitStatus.failed);
  });
});
