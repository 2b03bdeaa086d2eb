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
export type { NewReport, ReportOutbox } from "./reports.ts";
export { type Attempt, type Installed, labelOf, type Outcome, type State } from "./state.ts";
