export { SupervisorError, type SupervisorErrorCode } from "./errors.ts";
