export { DeploymentError, type DeploymentErrorCode, deploymentErrorCodes } from "./errors.ts";
export {
  type DeploymentEvents,
  DeploymentManager,
  type DeploymentManagerOptions,
} from "./manager.ts";
export { describePlan, type Identified, type Plan, plan, type Step } from "./plan.ts";
export type {
  Capsules,
  Configurations,
  Health,
  Rejected,
  Settled,
  Variables,
  Verified,
  Verifier,
} from "./ports.ts";
export type { Attempt, Installed, Outcome, State } from "./state.ts";
