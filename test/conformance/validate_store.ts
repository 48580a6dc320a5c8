import { messageOf } from "../../core/errors.ts";
import type { ConformanceCase, Harness } from "./case.ts";
import { cases as allCases } from "./cases.ts";
import { CASE_DEADLINE } from "./deadline.ts";
import { openOnce } from "./open_once.ts";
import { runCase, skipReason } from "./run_case.ts";

/** How one case went. */
export interface CaseResult {
  /** The case's name. */
  readonly name: string;
  /** How it went. */
  readonly outcome: "passed" | "failed" | "skipped";
  /** Why it was skipped, or what was wrong. */
  readonly reason?: string;
  /** How long it took, in milliseconds. */
  readonly duration: number;
}

/** How a store did. */
export interface ConformanceReport {
  /** The harness's name. */
  readonly store: string;
  /** No case failed. */
  readonly ok: boolean;
  /** How many cases passed. */
  readonly passed: number;
  /** How many cases failed. */
  readonly failed: number;
  /** How many cases were skipped, each for the reason that it carries. */
  readonly skipped: number;
  /** The cases in order. */
  readonly results: readonly CaseResult[];
}

/** Options of {@link validateStore}. */
export interface ValidateOptions {
  /** Which cases. @default all of them */
  readonly cases?: readonly ConformanceCase[];
  /** What a case must not have caused elsewhere: why it failed, though it did not say so. */
  readonly stray?: () => unknown;
  /** How long a case may take before the store counts as hung, in milliseconds. @default 60000 */
  readonly deadline?: number;
  /** Is told of each case when it has run. */
  readonly onResult?: (result: CaseResult) => void;
}

/**
 * Runs the suite on a store, one case after another, each on a fresh checkpoint. What the store
 * does wrong is in the report. Of a store that cannot even be opened there is nothing to report:
 * it is opened once before the cases, and when that fails none of them runs.
 * @throws {TidemarkError} `DRIVER_MISSING` when a package that the store needs is not installed;
 * `CHECKPOINT_OPEN` with its `cause` when it cannot be opened otherwise.
 */
export async function validateStore(
  harness: Harness,
  options: ValidateOptions = {},
): Promise<ConformanceReport> {
  const { cases = allCases, deadline = CASE_DEADLINE, onResult, stray } = options;
  await openOnce(harness, deadline);
  const results: CaseResult[] = [];
  for (const item of cases) {
    const result = await resultOf(item, harness, deadline, stray);
    results.push(result);
    onResult?.(result);
  }
  const count = (outcome: CaseResult["outcome"]) =>
    results.filter((result) => result.outcome === outcome).length;
  const failed = count("failed");
  return {
    store: harness.name,
    ok: failed === 0,
    passed: count("passed"),
    failed,
    skipped: count("skipped"),
    results,
  };
}

async function resultOf(
  item: ConformanceCase,
  harness: Harness,
  deadline: number,
  stray: ValidateOptions["stray"],
): Promise<CaseResult> {
  const { name } = item;
  const reason = skipReason(item, harness);
  if (reason !== undefined) return { name, outcome: "skipped", reason, duration: 0 };
  const start = performance.now();
  const taken = () => performance.now() - start;
  try {
    await runCase(item, harness, deadline);
    const thrown = stray?.();
    if (thrown !== undefined) throw thrown;
    return { name, outcome: "passed", duration: taken() };
  } catch (thrown) {
    return { name, outcome: "failed", reason: messageOf(thrown), duration: taken() };
  }
}
