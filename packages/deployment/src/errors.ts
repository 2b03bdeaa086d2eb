import { RoboticksError } from "@roboticks/core";

/** What can go wrong in `@roboticks/deployment`; the README says what to do about each. */
export type DeploymentErrorCode = "ERR_DEPLOYMENT_CLOSED";

/** The one error class of this package; branch on `code`. */
export class DeploymentError extends RoboticksError<DeploymentErrorCode> {
  override readonly name = "DeploymentError";
}
