import { describe, expect, it } from "vitest";
import { agentSettingsSchema } from "../src/agent.ts";
import { capsuleManifestSchema, capsuleSourceSchema } from "../src/capsule.ts";
import { assignmentSchema, deploymentSourceSchema } from "../src/deployment.ts";
import { parseDocumentText } from "../src/document.ts";
import { agent, capsule, deployment } from "./samples.ts";

const read = (text: string) =>
  parseDocumentText(text, deploymentSourceSchema, { file: "deployment.yaml" });

const lines = (...body: readonly string[]): string =>
  ["apiVersion: roboticks/v1", "kind: Deployment", "name: d", "version: 1.0.0", ...body, ""].join(
    "\n",
  );

const navigation = ["capsules:", "  navigation:", "    capsule: navigation@1.4.2"];

describe("a deployment as a vendor writes it", () => {
  it("is read, and what was left out has its default", () => {
    const { capsules, activation } = read(deployment);
    expect(activation).toEqual({
      strategy: "replace",
      minHealthyTime: "10s",
      healthyDeadline: "5m",
      probation: "30m",
      progressDeadline: "10m",
    });
    expect(capsules.navigation?.health).toEqual([
      {
        http: {
          port: 8080,
          path: "/health",
          status: 200,
          contains: "ok",
          interval: "5s",
          timeout: "3s",
          startPeriod: "60s",
          successThreshold: 1,
          failureThreshold: 3,
        },
      },
      {
        tcp: {
          port: `\${ROS_PORT}`,
          interval: "10s",
          timeout: "3s",
          startPeriod: "60s",
          successThreshold: 1,
          failureThreshold: 3,
        },
      },
      {
        process: {
          interval: "10s",
          timeout: "3s",
          startPeriod: "1m30s",
          successThreshold: 1,
          failureThreshold: 3,
        },
      },
    ]);
  });

  it("with a mistyped key is told where, and what was meant", () => {
    const text = deployment.replace("    health:", "    heatlh:");
    expect(() => read(text)).toThrow(
      /^deployment\.yaml:11:5 {2}unknown key "heatlh" in capsules\.navigation; did you mean "health"\? {2}\[ERR_SPEC_UNKNOWN_KEY\]$/,
    );
  });

  it.each([
    [
      "compositions",
      lines(...navigation, "compositions:", "  perception:", "    file: compose.yaml"),
      'deployment.yaml:8:1  "compositions" is not supported yet; remove it  [ERR_SPEC_UNSUPPORTED]',
    ],
    [
      "bridge",
      lines(...navigation, "bridge: {}"),
      'deployment.yaml:8:1  "bridge" is not supported yet; remove it  [ERR_SPEC_UNSUPPORTED]',
    ],
    [
      "activation.when",
      lines(...navigation, "activation:", "  when:", "    - window: { days: mon-fri }"),
      'deployment.yaml:9:3  "activation.when" is not supported yet; remove it  [ERR_SPEC_UNSUPPORTED]',
    ],
    [
      "activation.inhibit, even empty",
      lines(...navigation, "activation:", "  inhibit:"),
      'deployment.yaml:9:3  "activation.inhibit" is not supported yet; remove it  [ERR_SPEC_UNSUPPORTED]',
    ],
  ])("%s is refused, not ignored", (_, text, message) => {
    expect(() => read(text)).toThrow(
      expect.objectContaining({ message, code: "ERR_SPEC_UNSUPPORTED" }),
    );
  });

  it("a check of a kind that is not there yet says so", () => {
    const text = lines(...navigation, "    health:", "      - exec: { command: [true] }");
    expect(() => read(text)).toThrow(
      'deployment.yaml:9:9  "capsules.navigation.health.0.exec" is not supported yet; remove it  [ERR_SPEC_UNSUPPORTED]',
    );
  });

  it.each([
    [
      "no check",
      "      - {}",
      "9:9  capsules.navigation.health.0: a check is exactly one of http, tcp, process  [ERR_SPEC_INVALID]",
    ],
    [
      "two checks in one",
      "      - { tcp: { port: 1 }, process: {} }",
      "9:9  capsules.navigation.health.0: a check is exactly one of http, tcp, process  [ERR_SPEC_INVALID]",
    ],
    [
      "port 0",
      "      - tcp: { port: 0 }",
      `9:22  capsules.navigation.health.0.tcp.port: a port is 1 to 65535, or "\${NAME}" of the capsule's environment  [ERR_SPEC_INVALID]`,
    ],
    [
      "no port",
      "      - tcp: {}",
      '9:14  "port" is missing in capsules.navigation.health.0.tcp  [ERR_SPEC_MISSING_KEY]',
    ],
    [
      "a duration without unit",
      "      - process: { interval: 10 }",
      "9:30  capsules.navigation.health.0.process.interval: Invalid input: expected string, received number  [ERR_SPEC_INVALID]",
    ],
    [
      "a duration that is too long",
      "      - process: { interval: 401d }",
      "9:30  capsules.navigation.health.0.process.interval: a duration is at most 400d  [ERR_SPEC_INVALID]",
    ],
    [
      "a path without slash",
      "      - http: { port: 1, path: x }",
      "9:32  capsules.navigation.health.0.http.path: a path begins with /  [ERR_SPEC_INVALID]",
    ],
  ])("%s is refused", (_, line, message) => {
    expect(() => read(lines(...navigation, "    health:", line))).toThrow(
      expect.objectContaining({ message: `deployment.yaml:${message}` }),
    );
  });

  it.each([
    ["capsules: {}", "5:11  capsules: a deployment names at least one capsule  [ERR_SPEC_INVALID]"],
    [
      "capsules: { Nav: { capsule: n@1.0.0 } }",
      '5:13  "Nav" in capsules: a name has a-z, 0-9 and - inside, at most 63 of them  [ERR_SPEC_INVALID]',
    ],
    [
      "capsules: { n: { capsule: n@1 } }",
      "5:27  capsules.n.capsule: a capsule is named like navigation@1.4.2  [ERR_SPEC_INVALID]",
    ],
    [
      "capsules: { n: { capsule: n@1.0.0@2.0.0 } }",
      "5:27  capsules.n.capsule: a capsule is named like navigation@1.4.2  [ERR_SPEC_INVALID]",
    ],
    [
      "capsules: { n: { capsule: n@1.0.0, helth: [] } }",
      '5:36  unknown key "helth" in capsules.n; did you mean "health"?  [ERR_SPEC_UNKNOWN_KEY]',
    ],
    [
      "capsules: { n: { capsule: n@1.0.0, files: [] } }",
      '5:36  unknown key "files" in capsules.n; known are "capsule", "environment", "health"  [ERR_SPEC_UNKNOWN_KEY]',
    ],
  ])("%s is refused", (line, message) => {
    expect(() => read(lines(line))).toThrow(
      expect.objectContaining({ message: `deployment.yaml:${message}` }),
    );
  });
});

describe("the other documents", () => {
  it("a capsule is read with its defaults", () => {
    const { processes } = parseDocumentText(capsule, capsuleSourceSchema, { file: "capsule.json" });
    expect(processes.planner).toEqual({
      command: "bin/planner",
      arguments: ["--map", "floor-2"],
      environment: {},
      restart: "always",
      stopSignal: "SIGTERM",
      stopGrace: "20s",
    });
  });

  it("a capsule's table of files is not for people to write", () => {
    const text = capsule.replace('"processes"', '"files": [], "processes"');
    expect(() => parseDocumentText(text, capsuleSourceSchema, { file: "capsule.json" })).toThrow(
      'unknown key "files"',
    );
  });

  it("agent settings are read with their defaults", () => {
    expect(parseDocumentText(agent, agentSettingsSchema, { file: "agent.yaml" })).toMatchObject({
      root: "/var/lib/roboticks",
      run: "/run/roboticks",
      log: { level: "debug" },
      poll: { wait: "50s" },
    });
  });

  const digest = `sha256:${"0".repeat(64)}`;
  const file = { path: "bin/planner", mode: "0755", size: 1, digest };
  const manifest = {
    apiVersion: "roboticks/v1",
    kind: "Capsule",
    name: "navigation",
    version: "1.4.2",
    processes: { planner: { command: "bin/planner" } },
    files: [file, { path: "lib", link: "lib64" }],
  };

  it("a manifest holds files and links", () => {
    expect(capsuleManifestSchema.safeParse(manifest).success).toBe(true);
  });

  it.each([
    ["a digest that is too long", { digest: `${digest}0` }],
    ["a digest in capitals", { digest: digest.replace(/0$/, "A") }],
    ["a mode with setuid", { mode: "4755" }],
    ["a size below nothing", { size: -1 }],
    ["a link that has a size", { link: "x" }],
  ])("a manifest with %s is refused", (_, change) => {
    const files = [{ ...file, ...change }];
    expect(capsuleManifestSchema.safeParse({ ...manifest, files }).success).toBe(false);
  });

  it.each([
    "2026-11-24T10:00:00Z",
    "2026-11-24T10:00:00+00:00",
    "2026-11-24T10:00:00.000Z",
    "tomorrow",
  ])("an assignment's expiry of %s is taken in TUF's form alone", (expires) => {
    const { success } = assignmentSchema.shape.expires.safeParse(expires);
    expect(success).toBe(expires === "2026-11-24T10:00:00Z");
  });
});
