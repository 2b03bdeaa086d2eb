export type { ArchiveSource } from "./archive-body.ts";
export { type AssignmentAnswer, PlatformClient, type PlatformClientOptions } from "./client.ts";
export { type DeviceTokensOptions, deviceTokens } from "./device-tokens.ts";
export {
  ClientError,
  type ClientErrorCode,
  type ClientErrorOptions,
  clientErrorCodes,
} from "./errors.ts";
export type { CallOptions, RetryPolicy, TokenSource } from "./transport.ts";
