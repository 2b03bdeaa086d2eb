import { SupervisorError } from "./errors.ts";

const segment = "[A-Za-z0-9][A-Za-z0-9._-]*";
const pattern = new RegExp(`^${segment}(?:/${segment})*$`);
const longest = 128;

/**
 * Refuses what is no name of a run: one or more parts joined by `/`, each of letters, digits,
 * `.`, `_` and `-`, beginning with a letter or digit, at most 128 characters together.
 *
 * @throws {SupervisorError} `ERR_SUPERVISOR_INVALID_NAME`
 */
export function checkName(name: string): void {
  if (name.length <= longest && pattern.test(name)) return;
  throw new SupervisorError(
    "ERR_SUPERVISOR_INVALID_NAME",
    `${JSON.stringify(name)} cannot name a run; use 1 to ${longest} letters, digits, ".", "_", "-", in parts that begin with a letter or digit and are joined by "/"`,
  );
}

/** The folder name of a run: `/` becomes `+`, which no name holds, so that no two collide. */
export function folderName(name: string): string {
  return name.replaceAll("/", "+");
}

/** The name of a run whose folder is called `folder`; `undefined` when no run's is. */
export function nameOfFolder(folder: string): string | undefined {
  const name = folder.replaceAll("+", "/");
  return name.length <= longest && pattern.test(name) ? name : undefined;
}
