export { DeploymentError, type DeploymentErrorCode } from "./errors.ts";
