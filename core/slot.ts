import { printable, TidemarkError } from "./errors.ts";
import { EmptyTask, FailedTask, NoneTask } from "./task.ts";

/** Whether a slot's value was filtered. */
export function isFiltered(value: unknown): boolean {
  return value === null || value instanceof NoneTask || value instanceof EmptyTask;
}

/** The error of a slot that holds nothing: a forgotten `return` must not drop data. */
export function missingResult(stage: string): TidemarkError {
  return new TidemarkError(
    "TASK_RESULT_INVALID",
    `stage "${
      printable(stage)
    }" returned undefined: return null to filter, or the value to pass on`,
    { subject: stage },
  );
}

/** Whether a value is a promise of some kind. */
export function isPromiseLike(value: unknown): value is PromiseLike<unknown> {
  return (
    typeof value === "object" && value !== null &&
    typeof (value as { then?: unknown }).then === "function"
  );
}

/**
 * The iterator over what a fan-out returned.
 * @throws {TidemarkError} `TASK_RESULT_INVALID` when it is not iterable. A text counts as one
 * value, not as letters.
 */
export function iteratorOf(
  returned: unknown,
  stage: string,
): Iterator<unknown> | AsyncIterator<unknown> {
  const many = (typeof returned === "object" ? returned : {}) as Partial<
    Iterable<unknown> & AsyncIterable<unknown>
  >;
  const iterator = many[Symbol.asyncIterator]?.() ?? many[Symbol.iterator]?.();
  if (iterator !== undefined) return iterator;
  throw new TidemarkError(
    "TASK_RESULT_INVALID",
    `stage "${printable(stage)}" returned ${typeof returned}: return a list, an iterable or an ` +
      `async iterable, or null to filter`,
    { subject: stage },
  );
}

/** The results of a batch: one per task, or values that belong to no task in particular. */
export type Attribution =
  | { readonly slots: readonly unknown[] }
  | { readonly loose: readonly unknown[] };

/**
 * The results of a batch, attributed: slot `i` of the answer belongs to task `i`. When they
 * cannot be attributed, everything in them that is a value, lists flattened where lists are
 * expected. Each list is iterated once, since it may be used up by that. Throws what a list
 * throws.
 */
export function attribute(returned: unknown, tasks: number, many: boolean): Attribution {
  if (!isList(returned)) {
    return { loose: isFiltered(returned) || returned === undefined ? [] : [returned] };
  }
  const results = [...returned];
  const fits = (r: unknown) => isFiltered(r) || r instanceof FailedTask || isList(r);
  if (results.length === tasks && (!many || results.every(fits))) return { slots: results };
  const flat = many ? results.flatMap((r) => (isList(r) ? [...r] : [r])) : results;
  return {
    loose: flat.filter((r) => !isFiltered(r) && r !== undefined && !(r instanceof FailedTask)),
  };
}

function isList(value: unknown): value is Iterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.iterator in value;
}
