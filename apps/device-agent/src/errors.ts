import { RoboticksError } from "@roboticks/core";

/** Every code of an {@link AgentError}, and those with which it refuses an order. */
export const agentErrorCodes = [
  "ERR_AGENT_SETTINGS",
  "ERR_AGENT_ROOT_IN_USE",
  "ERR_AGENT_FOLDER",
  "ERR_AGENT_SOCKET",
  "ERR_AGENT_DSN",
  "ERR_AGENT_ENROLMENT",
  "ERR_AGENT_IDENTITY",
  "ERR_AGENT_NO_PLATFORM",
  "ERR_AGENT_CAPSULE_GONE",
  "ERR_AGENT_NO_ROOT",
  "ERR_AGENT_HEALTH",
  "ERR_AGENT_ORDER_MALFORMED",
  "ERR_AGENT_ORDER_MISDIRECTED",
  "ERR_AGENT_ORDER_EXPIRED",
] as const;

export type AgentErrorCode = (typeof agentErrorCodes)[number];

/** The one error class of the agent; branch on `code`. */
export class AgentError extends RoboticksError<AgentErrorCode> {
  override readonly name = "AgentError";
}
