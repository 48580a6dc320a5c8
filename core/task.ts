import { TidemarkError } from "./errors.ts";

/** The source that a task descends from. */
export interface SourceRef {
  /** Unique within a run. A content id as it was given (a leading `#` doubled), or `#<position>`. */
  readonly id: string;
  /** The version of the source's content, when the source stage gives one. */
  readonly version?: string;
}

/** One unit of work on its way through the stages. */
export interface Task<T> {
  /**
   * The lineage path: `"0"` for the root, `0_<segment>` for a source, then one segment per
   * stage. Starts with `r` and says nothing when the lineage could not be attributed. For
   * people: the engine never parses it.
   */
  readonly id: string;
  /** What the stages work on. */
  readonly payload: T;
  /** Where the task comes from; undefined before the source stage and without attribution. */
  readonly source: SourceRef | undefined;
  /** The child indices from the source to this task. Sorting by it restores the input's order. */
  readonly path: readonly number[];
  /** The pipeline's name; `empty`, `none` or `failed` for sentinels. */
  readonly dataset: string;
  /** How many items the task counts as: 1, or 0 for sentinels. */
  readonly items: number;
}

/** A task without a payload, which says something about its slot. */
export abstract class SentinelTask implements Task<undefined> {
  /** Sentinels that are returned get no id. */
  readonly id: string = "";
  /** Always undefined. */
  readonly payload: undefined = undefined;
  /** Always undefined. */
  readonly source: undefined = undefined;
  /** Always empty. */
  readonly path: readonly number[] = [];
  /** Always 0. */
  readonly items: number = 0;
  /** `empty`, `none` or `failed`. */
  abstract readonly dataset: string;

  /** Refuses a payload. @throws {TidemarkError} `TASK_RESULT_INVALID` when given one. */
  constructor(payload?: undefined) {
    if (payload !== undefined && payload !== null) {
      throw new TidemarkError(
        "TASK_RESULT_INVALID",
        `${new.target.name} carries no payload; return the value itself to pass it on`,
      );
    }
  }
}

/** The root that every task descends from. Its id is `"0"`. */
export class EmptyTask extends SentinelTask {
  /** The root of every lineage path. */
  override readonly id = "0";
  /** The name of the set that the task belongs to. */
  readonly dataset = "empty";
}

/** Says that a slot was filtered: that branch is drained. Returning `null` means the same. */
export class NoneTask extends SentinelTask {
  /** The name of the set that the task belongs to. */
  readonly dataset = "none";
}

/** Says that a slot failed: its source stays open and runs again next time. */
export class FailedTask extends SentinelTask {
  /** The name of the set that the task belongs to. */
  readonly dataset = "failed";
  /** Why the slot failed, for reports. */
  readonly reason: string;

  /** Refuses a payload. @throws {TidemarkError} `TASK_RESULT_INVALID` when given one. */
  constructor(reason: string, payload?: undefined) {
    super(payload);
    this.reason = reason;
  }
}

/** Fails the slot that it is returned for: its source stays open and runs again next time. */
export function failed(reason: string): FailedTask {
  return new FailedTask(reason);
}
