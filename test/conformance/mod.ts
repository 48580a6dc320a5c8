/**
 * What every checkpoint store must do, as data: without a test runner, on a fresh checkpoint
 * per case. {@link validateStore} returns a report; {@link defineSuite} makes each case a
 * test of a runner.
 * @module
 */

export type { CaseHarness, ConformanceCase, Harness, Need, OpenOptions } from "./case.ts";
export { cases } from "./cases.ts";
export { KNOWN_HARNESSES, loadHarness } from "./load_harness.ts";
export { defineSuite, type Runner } from "./define_suite.ts";
export {
  type CaseResult,
  type ConformanceReport,
  runCase,
  skipReason,
  validateStore,
} from "./validate_store.ts";
