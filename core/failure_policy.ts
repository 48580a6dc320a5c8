import { printable, TidemarkError } from "./errors.ts";
import type { TaskFailure } from "./event.ts";

/** When a run is given up because of failures. */
export interface FailurePolicy {
  readonly failFast: boolean;
  readonly maxFailures: number | "auto";
}

/** How a run stands when a slot has failed. */
export interface FailureCounts {
  /** Slots that failed in all. */
  readonly failures: number;
  /** Sources with a failed slot. */
  readonly failingSources: number;
  /** Sources that drained, in this run or an earlier one. */
  readonly goodSources: number;
  /** Slots that the failing stage failed. */
  readonly failedSlots: number;
  /** Slots that the failing stage did not fail. */
  readonly goodSlots: number;
}

/** Fewer bad sources than this may be bad luck. */
const FAILING_SOURCES = 20;
/** Within one source more slots may be bad than that, since they come together. */
const FAILING_SLOTS = 1_000;

/** Why a run should be given up after a failure, if it should. */
export function verdict(
  policy: FailurePolicy,
  failure: TaskFailure,
  counts: FailureCounts,
): TidemarkError | undefined {
  const last = `stage "${printable(failure.stage)}" on ` +
    `${printable(failure.label ?? failure.source ?? failure.task)}: ${printable(failure.reason)}`;
  if (policy.failFast) {
    return new TidemarkError("RUN_ABORTED", `a task failed and failFast is set: ${last}`, {
      cause: failure.cause,
    });
  }
  const { failures, failingSources, goodSources, failedSlots, goodSlots } = counts;
  const what = policy.maxFailures !== "auto"
    ? failures > policy.maxFailures
      ? `${failures} tasks failed, more than maxFailures allows`
      : undefined
    : failingSources >= FAILING_SOURCES && failingSources > goodSources
    ? `${failingSources} sources failed and ${goodSources} did not, so the run was given up`
    : failedSlots >= FAILING_SLOTS && failedSlots > goodSlots
    ? `${failedSlots} tasks failed and ${goodSlots} did not, so the run was given up`
    : undefined;
  return what === undefined ? undefined : new TidemarkError(
    "TOO_MANY_FAILURES",
    `${what}. The last was ${last}. Mend the cause and run again, or allow failures with ` +
      `maxFailures (--max-failures)`,
    { cause: failure.cause },
  );
}
