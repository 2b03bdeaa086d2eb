export { type ClockCase, clockContract } from "./clock-contract.ts";
export { ManualClock } from "./manual-clock.ts";
