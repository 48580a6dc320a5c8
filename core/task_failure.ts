import type { TaskFailure } from "./event.ts";
import { type OpenSource, sourceNames } from "./live_task.ts";

/** A slot that failed, and what was thrown when something was. */
export function taskFailure(
  failure: Pick<TaskFailure, "stage" | "task" | "reason">,
  source: OpenSource | undefined,
  cause?: unknown,
): TaskFailure {
  const { stage, task, reason } = failure;
  const names = source === undefined ? { source: undefined } : sourceNames(source);
  const made: TaskFailure = { stage, ...names, task, reason };
  // JSON makes `{}` of an error, and the reason is there already.
  return cause === undefined ? made : Object.defineProperty(made, "cause", { value: cause });
}
