export { type LauncherCase, launcherContract, type MakeLauncher } from "./launcher-contract.ts";
