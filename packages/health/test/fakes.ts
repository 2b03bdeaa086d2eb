import { ManualClock } from "@roboticks/core/testing";
import {
  type Check,
  type CheckContext,
  type CheckOptions,
  type CheckResult,
  HealthMonitor,
} from "../src/index.ts";

export const pass: CheckResult = { status: "pass" };
export const fail = (reason = "broken"): CheckResult => ({ status: "fail", reason });
export const unknown = (reason = "cannot tell"): CheckResult => ({ status: "unknown", reason });

/** A check whose next results a test decides; it keeps when it ran. */
export class FakeCheck implements Check {
  readonly kind = "fake";
  readonly runs: number[] = [];
  readonly name: string;
  readonly options: CheckOptions | undefined;
  behaviour: (context: CheckContext) => Promise<CheckResult>;

  constructor(name: string, result: CheckResult = pass, options?: CheckOptions) {
    this.name = name;
    this.options = options;
    this.behaviour = async () => result;
  }

  set result(result: CheckResult) {
    this.behaviour = async () => result;
  }

  run(context: CheckContext): Promise<CheckResult> {
    this.runs.push(context.clock.monotonic());
    return this.behaviour(context);
  }
}

/** A monitor on a manual clock whose checks run exactly at start + k × interval. */
export function manualMonitor(): { clock: ManualClock; monitor: HealthMonitor } {
  const clock = new ManualClock();
  return { clock, monitor: new HealthMonitor({ clock, random: () => 0 }) };
}
