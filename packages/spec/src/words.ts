import { parseDuration, parseSize } from "@roboticks/core";
import * as z from "zod";

/** The version that every document of this generation names. */
export const apiVersion = z.literal("roboticks/v1");

/** A key that the format will have and this version does not act on: refused, not ignored. */
export const unsupported = z.never().optional().describe("Not supported yet.");

/** What a name looks like. */
export const namePattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Names of capsules, deployments, processes, devices and projects. */
export const nameSchema = z.string().regex(namePattern, {
  error: "a name has a-z, 0-9 and - inside, at most 63 of them",
});

/** `sha256:` and 64 hex digits. */
export const digestSchema = z.templateLiteral(["sha256:", z.string().regex(/[0-9a-f]{64}/)]);

/** What a version looks like. */
export const versionPattern =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?$/;

/** A version as semver.org 2.0.0 defines it, without build metadata. */
export const versionSchema = z
  .string()
  .max(128)
  .regex(versionPattern, { error: "a version looks like 1.4.2 or 1.5.0-rc.1 (semver.org)" });

/**
 * `10s`, `5m`, `1h30m`. Stays text; `parseDuration` of core reads it. The pattern says nearly
 * the same once more, for the editors that get it as JSON Schema.
 */
export const durationSchema = z
  .string()
  .regex(/^(?=\d)(\d{1,9}d)?(\d{1,9}h)?(\d{1,9}m(?!s))?(\d{1,9}(\.\d{1,3})?s)?(\d{1,9}ms)?$/, {
    error: "a duration looks like 10s, 5m or 1h30m",
    abort: true,
  })
  .refine((text) => parseDuration(text) !== undefined, {
    error: "a duration is at most 400d",
  });

/** `600MB` (10⁶) or `600MiB`. Stays text; `parseSize` of core reads it. */
export const sizeSchema = z
  .string()
  .refine((text) => parseSize(text) !== undefined, { error: "a size looks like 600MB or 600MiB" });

/** The name of an environment variable. */
export const variableNameSchema = z.string().regex(/^[A-Za-z_][A-Za-z0-9_]{0,127}$/, {
  error: "a variable's name has A-Z, a-z, 0-9 and _ and does not begin with a digit",
});

/** The kernel ends a variable's value at a NUL. */
export const noNul = /^[^\0]*$/;

/** The value of an environment variable. */
const variableValueSchema = z
  .string()
  .max(32_768)
  .regex(noNul, { error: "a value has no NUL character" });

/** Environment variables by name. */
export const variablesSchema = z.record(variableNameSchema, variableValueSchema);

/** Seconds-precise UTC time, as TUF writes it: `2026-11-24T10:00:00Z`. */
export const timeSchema = z.iso.datetime({ precision: 0 });
