import { access, constants } from "node:fs/promises";
import { join } from "node:path";
import { SupervisorError } from "./errors.ts";

const setsidFolders = ["/usr/bin", "/bin", "/usr/local/bin", "/opt/homebrew/bin"];

/**
 * The path of the program that gives others a session of their own; empty where there is none
 * and none is needed.
 *
 * @throws {SupervisorError} `ERR_SUPERVISOR_UNSUPPORTED`
 */
export async function findSetsid(isNeeded: boolean): Promise<string> {
  for (const folder of setsidFolders) {
    const path = join(folder, "setsid");
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false, // the next folder
    );
    if (isThere) return path;
  }
  if (!isNeeded) return "";
  throw new SupervisorError(
    "ERR_SUPERVISOR_UNSUPPORTED",
    `there is no setsid in ${setsidFolders.join(", ")}; install util-linux or busybox`,
  );
}
