import { documentCases } from "./document-cases.ts";
import { endCases } from "./end-cases.ts";
import type { StoreCase } from "./fixtures.ts";
import { journalCases } from "./journal-cases.ts";
import { orderCases } from "./order-cases.ts";
import { valueCases } from "./value-cases.ts";

/** What a `Store` promises, as cases that any implementation can run. */
export const storeContract: readonly StoreCase[] = [
  ...documentCases,
  ...journalCases,
  ...valueCases,
  ...orderCases,
  ...endCases,
];
