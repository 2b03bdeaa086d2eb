import { createRoute, type OpenAPIHono, z } from "@hono/zod-openapi";
import { reportListSchema, reportsRequestSchema, reportsResponseSchema } from "@roboticks/spec/api";
import type { Report } from "@roboticks/spec/report";
import { deviceItself, operator } from "../access.ts";
import type { Context, Env } from "../context.ts";
import { PlatformError } from "../errors.ts";
import { strictJson, waitMsOf } from "../requests.ts";
import { deviceParams, json, jsonBody, problemAnswer } from "./words.ts";

/** How many reports one answer holds, and about how many characters of JSON. */
const pageLength = 100;
const pageCharacters = 2 ** 20;

/** What devices tell, and what operators read of it. */
export function reportRoutes(app: OpenAPIHono<Env>, context: Context): void {
  const { state, wakeups } = context;

  app.openapi(
    createRoute({
      method: "post",
      path: "/v1/projects/{project}/devices/{device}/reports",
      summary:
        "Deliver reports in the order of their seq; those seen before are acknowledged again",
      security: [{ deviceToken: [] }],
      middleware: [deviceItself(context), strictJson()] as const,
      request: { params: deviceParams, body: jsonBody(reportsRequestSchema) },
      responses: { 200: json(reportsResponseSchema, "What is kept now."), default: problemAnswer },
    }),
    async (c) => {
      const { device } = c.req.valid("param");
      const { reports } = c.req.valid("json");
      if (reports.some(({ seq }, index) => seq <= (reports[index - 1]?.seq ?? 0))) {
        throw new PlatformError(
          "ERR_PLATFORM_INVALID",
          "the seq of reports grows from one to the next",
        );
      }
      const acknowledged = await state.addReports(device, reports);
      wakeups.wake(topicOf(device));
      return c.json({ acknowledged }, 200);
    },
  );

  app.openapi(
    createRoute({
      method: "get",
      path: "/v1/projects/{project}/devices/{device}/reports",
      summary: "Reports after a seq, oldest first; with Prefer: wait=N held until there are some",
      security: [{ operatorToken: [] }],
      middleware: [operator(context)] as const,
      request: {
        params: deviceParams,
        query: z.strictObject({ after: z.coerce.number().int().min(0).default(0) }),
      },
      responses: { 200: json(reportListSchema, "A page of them."), default: problemAnswer },
    }),
    async (c) => {
      const { device } = c.req.valid("param");
      const { after } = c.req.valid("query");
      if (!(await state.getDevice(device))) {
        throw new PlatformError("ERR_PLATFORM_NOT_FOUND", `there is no device ${device}`);
      }
      const page = await wakeups.waitFor(
        topicOf(device),
        waitMsOf(c),
        c.req.raw.signal,
        async () => {
          const reports = await state.listReports(device, { after, limit: pageLength });
          return reports.length > 0 ? reports : undefined;
        },
      );
      return c.json({ reports: beginning(page ?? []) }, 200);
    },
  );
}

/** As many of `reports` as one answer holds, at least one. */
function beginning(reports: readonly Report[]): Report[] {
  let characters = 0;
  const end = reports.findIndex((report, index) => {
    characters += JSON.stringify(report).length;
    return index > 0 && characters > pageCharacters;
  });
  return end === -1 ? [...reports] : reports.slice(0, end);
}

function topicOf(device: string): string {
  return `reports of ${device}`;
}
