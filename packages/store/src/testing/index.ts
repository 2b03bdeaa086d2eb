export type { StoreCase } from "./fixtures.ts";
export { storeContract } from "./store-contract.ts";
