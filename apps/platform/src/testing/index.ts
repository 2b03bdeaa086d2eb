export { type BlobCase, blobContract } from "./blob-contract.ts";
export { type StateCase, stateContract } from "./state-contract.ts";
