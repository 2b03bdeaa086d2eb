import { readdir } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Terminal } from "./terminal.ts";

let terminal: Terminal;
beforeAll(async () => {
  terminal = await Terminal.open();
});
afterAll(() => terminal[Symbol.asyncDispose]());

describe("validate", () => {
  it("says all that is wrong in all files, each with its place, and ends with 1", async () => {
    await terminal.write(
      "deployment.yaml",
      `apiVersion: roboticks/v1
kind: Deployment
name: delivery-robot
version: 1.4
capsules:
  navigation:
    capsule: navigation@1.4.2
    heatlh:
      - http: { port: 8080 }
bridge: {}
`,
    );
    await terminal.write("context.json", '{"apiVersion":"roboticks/v1","kind":"Context"}');
    await terminal.write("other.yaml", "kind: Other\n");
    await terminal.write(
      "environment.yaml",
      "apiVersion: roboticks/v1\nkind: Environment\nvariables: { A: 1 }\n",
    );
    const files = ["deployment.yaml", "missing.yaml", "other.yaml", "context.json"];
    const ran = await terminal.run(["validate", ...files, "environment.yaml"]);
    expect(ran.stderr.trim().split("\n")).toEqual([
      "deployment.yaml:4:10  version: Invalid input: expected string, received number  [ERR_SPEC_INVALID]",
      'deployment.yaml:8:5  unknown key "heatlh" in capsules.navigation; did you mean "health"?  [ERR_SPEC_UNKNOWN_KEY]',
      'deployment.yaml:10:1  "bridge" is not supported yet; remove it  [ERR_SPEC_UNSUPPORTED]',
      expect.stringMatching(/^cannot read missing\.yaml: .*\[ERR_CLI_FILE\]$/),
      expect.stringMatching(/^other\.yaml {2}has no kind that is known .*\[ERR_CLI_FILE\]$/),
      expect.stringMatching(
        /^context\.json:1:\d+ {2}"server" is missing .*\[ERR_SPEC_MISSING_KEY\]$/,
      ),
      expect.stringMatching(
        /^context\.json:1:\d+ {2}"project" is missing .*\[ERR_SPEC_MISSING_KEY\]$/,
      ),
    ]);
    expect(ran.stdout).toBe("environment.yaml  is a well-formed Environment\n");
    expect(ran.status).toBe(1);
  });
});

describe("pack", () => {
  const manifest = {
    apiVersion: "roboticks/v1",
    kind: "Capsule",
    name: "app",
    version: "1.0.0",
    processes: { main: { command: "bin/app" } },
  };
  const runnable = { ...manifest, processes: { main: { command: "/bin/true" } } };

  it.each([
    ["ERR_SPEC_UNKNOWN_KEY", { ...manifest, restarts: "always" }, 'unknown key "restarts"'],
    ["ERR_PACK_COMMAND_MISSING", manifest, "bin/app"],
    ["ERR_PACK_NO_SCHEMA", { ...runnable, configuration: { schema: "no.json" } }, "no.json"],
    ["ERR_PACK_NO_MANIFEST", undefined, "capsule.json"],
  ])("refuses a folder with %s, and makes nothing", async (code, content, said) => {
    await terminal.write(`${code}/README`, "");
    if (content) await terminal.write(`${code}/capsule.json`, JSON.stringify(content, null, 2));
    const ran = await terminal.run(["pack", code, "--output", `${code}.tar.zst`]);
    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain(`[${code}]`);
    expect(ran.stderr).toContain(said);
    expect(ran.stderr).not.toMatch(/^ {4}at /m);
    expect(await readdir(terminal.folder)).not.toContain(`${code}.tar.zst`);
  });
});

describe("push", () => {
  it.each([
    ["missing.tar.zst", undefined, "ERR_CLI_FILE"],
    ["text.tar.zst", "no archive at all\n".repeat(100), "ERR_ARCHIVE_FORMAT"],
  ])("refuses %s before it asks anybody", async (name, content, code) => {
    if (content) await terminal.write(name, content);
    const env = { ROBOTICKS_SERVER: "http://127.0.0.1:9", ROBOTICKS_PROJECT: "default" };
    const ran = await terminal.run(["push", name], env);
    expect(ran.status).toBe(1);
    expect(ran.stderr).toContain(`[${code}]`);
    expect(ran.stderr).not.toMatch(/^ {4}at /m);
  });
});

describe("the command line", () => {
  it("describes every command in one line", async () => {
    const { stdout, status } = await terminal.run(["--help"]);
    expect(status).toBe(0);
    const commands = stdout.split("Commands:\n")[1]?.trimEnd().split("\n") ?? [];
    expect(commands.length).toBeGreaterThan(9);
    for (const line of commands) expect(line).toMatch(/^ {2}[a-z]+( [[<].*[\]>])? {2,}[a-z].{9,}$/);
  });

  it.each([
    [[]],
    [["nonsense"]],
    [["device"]],
    [["deploy", "x.yaml"]],
    [["device", "list", "-o", "xml"]],
  ])("ends with 2 for %j", async (args) => {
    const ran = await terminal.run(args);
    expect([ran.status, ran.stdout]).toEqual([2, ""]);
    expect(ran.stderr).not.toBe("");
  });
});
