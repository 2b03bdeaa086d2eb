import { RoboticksError } from "@roboticks/core";

/** Every code of a {@link DeploymentError} or of a cause that this package finds itself. */
export const deploymentErrorCodes = [
  "ERR_DEPLOYMENT_CLOSED",
  "ERR_DEPLOYMENT_UNKNOWN",
  "ERR_DEPLOYMENT_ASSIGNMENT_OLD",
  "ERR_DEPLOYMENT_KNOWN_BAD",
  "ERR_DEPLOYMENT_UNHEALTHY",
  "ERR_DEPLOYMENT_DEADLINE",
  "ERR_DEPLOYMENT_HEALTH_UNKNOWN",
  "ERR_DEPLOYMENT_INTERRUPTED",
  "ERR_DEPLOYMENT_SUPERSEDED",
  "ERR_DEPLOYMENT_DAMAGED",
  "ERR_DEPLOYMENT_STEP_FAILED",
] as const;

export type DeploymentErrorCode = (typeof deploymentErrorCodes)[number];

/** The one error class of this package; branch on `code`. */
export class DeploymentError extends RoboticksError<DeploymentErrorCode> {
  override readonly name = "DeploymentError";
}
