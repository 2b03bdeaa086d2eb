import { createRoute, type OpenAPIHono } from "@hono/zod-openapi";
import { type DeviceRecord, deviceListSchema, deviceRecordSchema } from "@roboticks/spec/api";
import { operator } from "../access.ts";
import type { Context, Env } from "../context.ts";
import { PlatformError } from "../errors.ts";
import type { DeviceEntry, PlatformState } from "../state.ts";
import { deviceParams, documentedEnvelope, json, problemAnswer, projectParams } from "./words.ts";

/** What operators read of devices, and the root that everyone may read. */
export function deviceRoutes(app: OpenAPIHono<Env>, context: Context): void {
  const { state, rootEnvelope } = context;

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/projects/{project}/devices",
      summary: "Every device, by name",
      security: [{ operatorToken: [] }],
      middleware: [operator(context)] as const,
      request: { params: projectParams },
      responses: { 200: json(deviceListSchema, "The devices."), default: problemAnswer },
    }),
    async (c) => {
      const devices: DeviceRecord[] = [];
      for (const device of await state.listDevices()) devices.push(await recordOf(state, device));
      return c.json({ devices }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/projects/{project}/devices/{device}",
      summary: "One device",
      security: [{ operatorToken: [] }],
      middleware: [operator(context)] as const,
      request: { params: deviceParams },
      responses: { 200: json(deviceRecordSchema, "The device."), default: problemAnswer },
    }),
    async (c) => {
      const name = c.req.valid("param").device;
      const device = await state.getDevice(name);
      if (!device) throw new PlatformError("ERR_PLATFORM_NOT_FOUND", `there is no device ${name}`);
      return c.json(await recordOf(state, device), 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/projects/{project}/trust/root",
      summary: "The root of trust",
      security: [],
      request: { params: projectParams },
      responses: { 200: json(documentedEnvelope, "root.json"), default: problemAnswer },
    }),
    (c) => c.json(rootEnvelope, 200),
  );
}

async function recordOf(state: PlatformState, device: DeviceEntry): Promise<DeviceRecord> {
  const { name, enrolledAt, lastSeenAt } = device;
  const assignment = await state.getAssignment(name);
  const latest = await state.getLatestReport(name);
  return {
    name,
    enrolledAt,
    ...(lastSeenAt === undefined ? {} : { lastSeenAt }),
    assignment: assignment?.version ?? 0,
    ...(assignment && { desired: assignment.deployment }),
    ...(latest?.running && { running: latest.running }),
    ...(latest && { latest }),
  };
}
