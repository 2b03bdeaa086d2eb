import { type ChildProcess, spawn } from "node:child_process";

/*
 * Two shells stand between the supervisor and the program. The outer one waits for the program
 * and notes how it ended, so that a supervisor which was not there can still learn it. The inner
 * one is what becomes the program, by `exec`, so that it can note its own pid first.
 *
 * Every note is the creation of an empty file whose *name* says it all, in the folder of this
 * life. One system call, so no note is ever half written, whoever is killed when. And since
 * nothing can be created in a folder that is gone, `rmdir` of an empty one takes back, for good,
 * the permission to start.
 *
 * Both run on an empty environment: a program's LD_LIBRARY_PATH must not reach them.
 */

/**
 * Outer: LIFE INNER SETSID FOLDER ENVIRONMENT COMMAND [ARGUMENT…].
 * The program is run in the foreground, as background commands of a shell ignore SIGINT. What
 * the shell itself has to say ("Killed") is kept out of the program's log, which is number 3. The time in the name
 * is that since boot, in seconds: no jump of the wall clock spoils it.
 */
const outer = `
life=$1 inner=$2 setsid=$3
shift 3
exec 3>&2 2>/dev/null
[ -n "$setsid" ] || set -m
\${setsid:+"$setsid"} /bin/sh -c "$inner" roboticks "$life" "$@"
status=$?
up=
[ ! -r /proc/uptime ] || read -r up idle </proc/uptime
true >"$life/ended.$status.$up"
exit "$status"
`;

/**
 * Inner: LIFE FOLDER ENVIRONMENT COMMAND [ARGUMENT…].
 * Its variables have names that no program's environment is likely to use, since that is read
 * in before they are used for the last time. The start time is field 22 of its stat, the 20th
 * after the name.
 */
const inner = `
exec 2>&3 3>&-
\${BASH_VERSION:+shopt -s execfail}
trap 'true >"$_roboticks_life/refused"' EXIT
_roboticks_life=$1 _roboticks_environment=$3
cd "$2" || exit 126
shift 3
_roboticks_field() { shift 19; _roboticks_start=$1; }
if [ -r /proc/$$/stat ]; then
  read -r _roboticks_start </proc/$$/stat
  _roboticks_field \${_roboticks_start##*) }
else
  _roboticks_start=$(LC_ALL=C TZ=UTC ps -o lstart= -p $$)
fi
unset PWD OLDPWD SHLVL
. "$_roboticks_environment"
true >"$_roboticks_life/started.$$.$_roboticks_start" || exit 125
exec "$@"
_roboticks_status=$?
true >"$_roboticks_life/refused"
exit "$_roboticks_status"
`;

/** What the wrapper is told. */
export interface WrapperOptions {
  /** Folder of this life: empty, and nobody else's. */
  readonly life: string;
  /** Path of the `setsid` program; empty where there is none (then a process group has to do). */
  readonly setsid: string;
  readonly workingDirectory: string;
  /** File that {@link environmentScript} was written to. */
  readonly environment: string;
  readonly executable: string;
  readonly arguments: readonly string[];
  /** File descriptor for the output of the program. */
  readonly log: number | "ignore";
}

/** Starts the wrapper in a session of its own, so that nothing that ends us ends it. */
export function spawnWrapper({
  life,
  setsid,
  workingDirectory,
  environment,
  executable,
  arguments: args,
  log,
}: WrapperOptions): ChildProcess {
  const own = [life, inner, setsid, workingDirectory, environment, executable, ...args];
  return spawn("/bin/sh", ["-c", outer, "roboticks", ...own], {
    // Not the program's folder: a wrapper must not keep a file system from being unmounted.
    cwd: "/",
    env: {},
    stdio: ["ignore", log, log],
    detached: true,
  });
}

/** An environment as shell commands. Single quotes keep every character but themselves. */
export function environmentScript(environment: Readonly<Record<string, string>>): string {
  return Object.entries(environment)
    .map(([name, value]) => `export ${name}='${value.replaceAll("'", `'\\''`)}'\n`)
    .join("");
}
