/**
 * What every checkpoint store must do, as data: without a test runner, on a fresh checkpoint
 * per case. {@link validateStore} returns a report; {@link vitestSuite}, {@link nodeTestSuite}
 * and {@link denoTestSuite} make each case a test. How a suite is published with its package is
 * learnt from abstract-level, that it returns a report from LangGraph's conformance package.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { openStore } from "tidemark";
 * import { type Harness, validateStore } from "tidemark/conformance";
 *
 * const harness: Harness = {
 *   name: "memory",
 *   capabilities: { durable: false, shared: true, files: false },
 *   open: (directory) => openStore(`memory:${directory}`),
 * };
 * const report = await validateStore(harness);
 * assert.equal(report.failed, 0);
 * ```
 *
 * @module
 */

export type { CaseHarness, ConformanceCase, Harness, Need, OpenOptions } from "./case.ts";
export { cases } from "./cases.ts";
export { CASE_DEADLINE } from "./deadline.ts";
export { KNOWN_HARNESSES, loadHarness } from "./load_harness.ts";
export { openOnce } from "./open_once.ts";
export { runCase, skipReason } from "./run_case.ts";
export type { Answer, Command, Leftovers, StoreProcess, Survey } from "./store_process.ts";
export {
  type DenoTestLike,
  denoTestSuite,
  type NodeTestLike,
  nodeTestSuite,
  type VitestLike,
  vitestSuite,
} from "./suite.ts";
export {
  type CaseResult,
  type ConformanceReport,
  type ValidateOptions,
  validateStore,
} from "./validate_store.ts";
