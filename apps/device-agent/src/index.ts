export { Agent, type AgentOptions } from "./agent.ts";
export { type CapsuleSource, deployableCapsules } from "./capsules.ts";
export { deployableConfigurations } from "./configurations.ts";
export { AgentError, type AgentErrorCode, agentErrorCodes } from "./errors.ts";
export { type DeployableHealthOptions, deployableHealth } from "./health.ts";
export { Identity, type Pinned, type TrustAnchor } from "./identity.ts";
export { readDsn, readSettings } from "./settings.ts";
export { type AssignmentVerifierOptions, assignmentVerifier } from "./verifier.ts";
