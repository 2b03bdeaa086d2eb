import type { Context } from "./context.ts";

/** Ends an attempt because a newer deployment was accepted. */
export function superseded(context: Context): Promise<void> {
  const { next } = context.state();
  const message = `superseded by ${next?.deployment.name} ${next?.deployment.version} (assignment ${next?.assignment})`;
  return context.record({
    type: "undoBegun",
    cause: { code: "ERR_DEPLOYMENT_SUPERSEDED", message, lastLines: [] },
    blame: false,
    superseded: true,
  });
}
