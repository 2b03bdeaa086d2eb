import * as z from "zod";
import { envelopeSchema } from "./deployment.ts";
import { labelSchema, reportSchema } from "./report.ts";
import { digestSchema, nameSchema, versionSchema } from "./words.ts";

/** Where a project's resources begin, relative to the endpoint. */
export function projectPath(project: string): string {
  return `/v1/projects/${encodeURIComponent(project)}`;
}

/** Ed25519 public key in TUF's form. */
export const publicKeySchema = z.strictObject({
  keytype: z.literal("ed25519"),
  scheme: z.literal("ed25519"),
  keyval: z.strictObject({ public: z.string().regex(/^[0-9a-f]{64}$/) }),
});

const signature = z.string().regex(/^[0-9a-f]{128}$/);

/** `POST …/devices`, shown with the DSN's key. */
export const enrollRequestSchema = z.strictObject({
  name: nameSchema,
  publicKey: publicKeySchema,
  proof: signature.describe("Over `enrollStatement`, by the device's key."),
});
export const enrollResponseSchema = z.strictObject({ device: nameSchema, root: envelopeSchema });

/** What a device signs to show that it holds the key it enrolls with. */
export function enrollStatement(project: string, device: string, publicKey: string): string {
  return `roboticks enroll v1\n${project}\n${device}\n${publicKey}\n`;
}

/** `POST …/devices/{device}/challenge`: a nonce to be signed once, within a minute. */
export const challengeResponseSchema = z.strictObject({ nonce: z.string().min(16).max(256) });

/** `POST …/devices/{device}/token` */
export const tokenRequestSchema = z.strictObject({
  nonce: z.string().min(16).max(256),
  signature: signature.describe("Over `tokenStatement`, by the device's key."),
});
export const tokenResponseSchema = z.strictObject({
  token: z.string().min(16).max(1024),
  expiresInSeconds: z.int().min(1).max(86_400),
});

/** What a device signs to get a token. */
export function tokenStatement(project: string, device: string, nonce: string): string {
  return `roboticks token v1\n${project}\n${device}\n${nonce}\n`;
}

/** `POST …/devices/{device}/reports`: in order; what was seen already is acknowledged again. */
export const reportsRequestSchema = z.strictObject({ reports: z.array(reportSchema).max(100) });
export const reportsResponseSchema = z.strictObject({
  acknowledged: z.int().min(0).describe("Every report up to this seq is kept."),
});

/** What the platform knows of a capsule. */
export const capsuleRecordSchema = z.strictObject({
  name: nameSchema,
  version: versionSchema,
  digest: digestSchema,
  size: z.int().min(1).optional().describe("Bytes of its archive; absent until that is uploaded."),
});
export const capsuleListSchema = z.strictObject({ capsules: z.array(capsuleRecordSchema) });

/** What the platform knows of a device. */
export const deviceRecordSchema = z.strictObject({
  name: nameSchema,
  enrolledAt: z.int(),
  lastSeenAt: z.int().optional().describe("The platform's time of the last request."),
  assignment: z.int().min(0).describe("Version of the newest assignment; 0: none yet."),
  desired: labelSchema.optional(),
  running: labelSchema.optional(),
  latest: reportSchema.optional().describe("The newest report."),
});
export const deviceListSchema = z.strictObject({ devices: z.array(deviceRecordSchema) });

/** `GET …/devices/{device}/reports?after=SEQ`, oldest first; held open with `Prefer: wait=N`. */
export const reportListSchema = z.strictObject({ reports: z.array(reportSchema) });

/** Every answer of 400 and above. */
export const problemSchema = z.strictObject({
  code: z.string().regex(/^ERR_[A-Z0-9_]+$/),
  message: z.string(),
});

export type PublicKeyDocument = z.output<typeof publicKeySchema>;
export type EnrollRequest = z.output<typeof enrollRequestSchema>;
export type EnrollResponse = z.output<typeof enrollResponseSchema>;
export type TokenResponse = z.output<typeof tokenResponseSchema>;
export type TokenRequest = z.output<typeof tokenRequestSchema>;
export type CapsuleRecord = z.output<typeof capsuleRecordSchema>;
export type DeviceRecord = z.output<typeof deviceRecordSchema>;
export type Problem = z.output<typeof problemSchema>;
