export { untilAborted } from "./abort.ts";
export {
  type Backoff,
  type BackoffOptions,
  backoffMs,
  type RetryOptions,
  retry,
} from "./backoff.ts";
export { type Clock, systemClock, withTimeout } from "./clock.ts";
export { formatDuration, parseDuration } from "./duration.ts";
export { RoboticksError, type RoboticksErrorOptions, toError } from "./error.ts";
export { Events, type Listener } from "./events.ts";
export { type Logger, silentLogger } from "./logger.ts";
export { nearest } from "./nearest.ts";
export { formatSize, parseSize } from "./size.ts";
