import { appendCases } from "./append.ts";
import type { ConformanceCase } from "./case.ts";
import { closeCases } from "./close.ts";
import { damageCases } from "./damage.ts";
import { dedupCases } from "./dedup.ts";
import { durabilityCases } from "./durability.ts";
import { idCases } from "./ids.ts";
import { leftoverCases } from "./leftovers.ts";
import { lifecycleCases } from "./lifecycle.ts";
import { manifestCases } from "./manifest.ts";
import { readCases } from "./read.ts";
import { recoveryCases } from "./recovery.ts";
import { unionCases } from "./union.ts";
import { writerCases } from "./writers.ts";

/** The whole suite, in the order in which it makes most sense to read its failures. */
export const cases: readonly ConformanceCase[] = [
  ...lifecycleCases,
  ...appendCases,
  ...readCases,
  ...writerCases,
  ...manifestCases,
  ...closeCases,
  ...dedupCases,
  ...recoveryCases,
  ...unionCases,
  ...idCases,
  ...durabilityCases,
  ...damageCases,
  ...leftoverCases,
];
