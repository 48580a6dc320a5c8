import { appendCases } from "./append.ts";
import type { ConformanceCase } from "./case.ts";
import { closeCases } from "./close.ts";
import { manifestCases } from "./manifest.ts";
import { readCases } from "./read.ts";
import { writerCases } from "./writers.ts";

/** The whole suite, in the order in which it makes most sense to read its failures. */
export const cases: readonly ConformanceCase[] = [
  ...appendCases,
  ...readCases,
  ...writerCases,
  ...manifestCases,
  ...closeCases,
];
