/** A deployment with all that this version knows. */
export const deployment = `# yaml-language-server: $schema=./node_modules/@roboticks/spec/schemas/deployment.v1.json
apiVersion: roboticks/v1
kind: Deployment
name: delivery-robot
version: 1.4.2

capsules:
  navigation:
    capsule: navigation@1.4.2
    environment: environment.yaml
    health:
      - http: { port: 8080, path: /health, interval: 5s, status: 200, contains: ok }
      - tcp: { port: "\${ROS_PORT}" }
      - process: { startPeriod: 1m30s }

activation:
  strategy: replace
  minHealthyTime: 10s
  healthyDeadline: 5m
`;

export const capsule = `{
\t"apiVersion": "roboticks/v1",
\t"kind": "Capsule",
\t"name": "navigation",
\t"version": "1.5.0-rc.1",
\t"platforms": [{ "os": "linux", "arch": "arm64" }],
\t"processes": {
\t\t"planner": { "command": "bin/planner", "arguments": ["--map", "floor-2"], "stopGrace": "20s" }
\t},
\t"configuration": { "schema": "schema.json" }
}
`;

export const environment = `apiVersion: roboticks/v1
kind: Environment
variables:
  MAP: floor-2
  MAX_SPEED: 1.2
  DEBUG: false
  VERSION: "1.10"
`;

export const agent = `apiVersion: roboticks/v1
kind: AgentSettings
name: robot-7
dsnFile: /etc/roboticks/dsn
log: { level: debug }
overrides:
  navigation: { MAP: workshop }
`;
