export type { Capsule, InstallProgress, InstallSource } from "./capsule.ts";
export {
  CapsuleError,
  type CapsuleErrorCode,
  type CapsuleErrorOptions,
  capsuleErrorCodes,
} from "./errors.ts";
export type { DownloadRetry } from "./installer.ts";
export type {
  Launcher,
  LauncherExit,
  LauncherProgram,
  LauncherRun,
  LauncherStatus,
} from "./launcher.ts";
export {
  CapsuleManager,
  type CapsuleManagerOptions,
  type InstallOptions,
  type Verification,
} from "./manager.ts";
export type { CapsuleRun, StartOptions } from "./runs.ts";
