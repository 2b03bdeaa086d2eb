export type { SupervisorEvents } from "./context.ts";
export { SupervisorError, type SupervisorErrorCode, supervisorErrorCodes } from "./errors.ts";
export type { Exit } from "./exit.ts";
export type { Program } from "./program.ts";
export type { CrashLoop, Restart, RestartBackoff } from "./restart-policy.ts";
export type { Run, RunStatus } from "./run.ts";
export { ProcessSupervisor, type ProcessSupervisorOptions } from "./supervisor.ts";
