import { OpenAPIHono } from "@hono/zod-openapi";
import type { Context, Env } from "./context.ts";
import { PlatformError } from "./errors.ts";
import { problems } from "./problem.ts";
import { assignmentRoutes } from "./routes/assignments.ts";
import { capsuleRoutes } from "./routes/capsules.ts";
import { deviceRoutes } from "./routes/devices.ts";
import { enrolmentRoutes } from "./routes/enrolment.ts";
import { reportRoutes } from "./routes/reports.ts";

/** Every route, and `/openapi.json` that describes them. */
export function createApp(context: Context): OpenAPIHono<Env> {
  const app = new OpenAPIHono<Env>({
    defaultHook: (result) => {
      if (result.success) return;
      const [issue] = result.error.issues;
      throw new PlatformError(
        "ERR_PLATFORM_INVALID",
        `the ${result.target} does not fit: ${[...(issue?.path ?? []), ""].join(": ")}${issue?.message}`,
      );
    },
  });
  app.onError(problems(context));
  app.notFound((c) => {
    throw new PlatformError("ERR_PLATFORM_NOT_FOUND", `there is no ${c.req.method} ${c.req.path}`);
  });
  app.use(async (c, next) => {
    c.header("cache-control", "no-store");
    c.header("x-content-type-options", "nosniff");
    await next();
  });
  app.use("/v1/projects/:project/*", async (c, next) => {
    const project = c.req.param("project");
    if (project !== context.project) {
      throw new PlatformError("ERR_PLATFORM_NOT_FOUND", `there is no project ${project}`);
    }
    await next();
  });
  app.get("/healthz", (c) => c.text("ok"));

  enrolmentRoutes(app, context);
  deviceRoutes(app, context);
  assignmentRoutes(app, context);
  reportRoutes(app, context);
  capsuleRoutes(app, context);

  for (const [name, description] of Object.entries(schemes)) {
    app.openAPIRegistry.registerComponent("securitySchemes", name, {
      type: "http",
      scheme: "bearer",
      description,
    });
  }
  app.doc31("/openapi.json", { openapi: "3.1.0", info });
  return app;
}

const info = { title: "Roboticks platform", version: "1" };

const schemes = {
  dsnKey: "The key of the project's DSN: enrolls devices, nothing else.",
  deviceToken: "Of one device, at most 24 h; from its challenge and token.",
  operatorToken: "Of an operator.",
};
