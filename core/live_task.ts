import type { SourceNames } from "./event.ts";
import type { SourceRef, Task } from "./task.ts";

/** A source that this run opened and has not settled. */
export class OpenSource implements SourceRef {
  readonly id: string;
  declare readonly version?: string;
  /** The id of the source's own task. */
  readonly taskId: string;
  /** What people call it. Nothing may depend on it. */
  readonly label: string | undefined;
  /** Tasks that are queued, being processed or being expanded. */
  live = 0;
  /** Slots that failed. */
  failures = 0;
  /** Why the first one failed. */
  failure = "";
  /** Resolves when the source is closed, once it is being committed, recorded or discarded. */
  settlement: Promise<void> | undefined;

  constructor(
    id: string,
    version: string | undefined,
    taskId: string,
    label?: string,
  ) {
    this.id = id;
    this.label = label;
    if (version !== undefined) this.version = version;
    this.taskId = taskId;
  }
}

/** What events call a source. */
export function sourceNames({ id, label }: OpenSource): SourceNames {
  return label === undefined ? { source: id } : { source: id, label };
}

/** A task with the bookkeeping that its user does not see. */
export class LiveTask implements Task<unknown> {
  readonly payload: unknown;
  readonly source: OpenSource | undefined;
  readonly path: readonly number[];
  readonly dataset: string;
  readonly items = 1;
  readonly #root: string;

  /** `root` is the id of the task at the empty path. */
  constructor(
    payload: unknown,
    source: OpenSource | undefined,
    path: readonly number[],
    dataset: string,
    root: string,
  ) {
    this.payload = payload;
    this.source = source;
    this.path = path;
    this.dataset = dataset;
    this.#root = root;
  }

  get id(): string {
    return this.path.length === 0 ? this.#root : `${this.#root}_${this.path.join("_")}`;
  }

  /** The task at this one's slot `index` in the next stage. */
  child(payload: unknown, index: number): LiveTask {
    return new LiveTask(payload, this.source, [...this.path, index], this.dataset, this.#root);
  }
}
