import type { Checkpoint } from "./checkpoint.ts";
import { messageOf, printable, TidemarkError } from "./errors.ts";
import type { RunEvent, TaskFailure } from "./event.ts";
import type { Host } from "./host.ts";
import { LiveTask, type OpenSource } from "./live_task.ts";
import { isFiltered, missingResult } from "./slot.ts";
import type { Sources } from "./sources.ts";
import type { StageState } from "./stage_state.ts";
import { FailedTask } from "./task.ts";
import { taskFailure } from "./task_failure.ts";

/** What {@link Delivery} needs to know about its run. */
export interface DeliveryOptions {
  readonly dataset: string;
  readonly stages: readonly StageState[];
  readonly sources: Sources;
  readonly checkpoint: Checkpoint;
  readonly host: Pick<Host, "uniqueId">;
  readonly emit: (event: RunEvent) => void;
  /** A slot failed. */
  readonly onFailure: (failure: TaskFailure, state: StageState) => void;
  /** The source stage cannot go on. */
  readonly onSourceError: (error: TidemarkError) => void;
}

/**
 * Takes what stages give, slot by slot: assigns ids, tells the ledger, and puts what goes on
 * into the next stage's queue. Facts about a task are recorded before its children are queued.
 */
export class Delivery {
  readonly #options: DeliveryOptions;
  readonly #last: number;
  #stopped = false;

  constructor(options: DeliveryOptions) {
    this.#options = options;
    this.#last = options.stages.length - 1;
  }

  /** Queues and settles nothing any more. */
  stop(): void {
    this.#stopped = true;
  }

  /** The one slot that a task turned into. */
  one(at: number, task: LiveTask, value: unknown): void {
    const { plan } = this.#options.stages[at]!;
    if (plan.isSource) this.#source(task, value, 0);
    else if (this.#passes(at, task, value, undefined)) {
      this.expanded(task, 1);
      this.#queue(at + 1, task.child(value, 0));
    }
    this.finish(task);
  }

  /** Slot `index` of what a task is being expanded into. */
  child(at: number, task: LiveTask, value: unknown, index: number): void {
    const { plan } = this.#options.stages[at]!;
    if (plan.isSource) this.#source(task, value, index);
    else if (this.#passes(at, task, value, index)) this.#queue(at + 1, task.child(value, index));
  }

  /** A stage said of a whole fan-out that it was filtered or failed. */
  none(at: number, task: LiveTask, value: unknown): void {
    const { plan } = this.#options.stages[at]!;
    if (!plan.isSource) this.#passes(at, task, value, undefined);
    else if (value instanceof FailedTask) this.sourceError(value.reason);
    this.finish(task);
  }

  /** The task turned into so many children. */
  expanded(task: LiveTask, children: number): void {
    const { source, path } = task;
    if (source === undefined) return;
    this.#options.checkpoint.apply([{ kind: "expanded", source: source.id, path, children }]);
  }

  /** Every one of the tasks failed as a whole. */
  failed(at: number, tasks: readonly LiveTask[], thrown: unknown): void {
    for (const task of tasks) {
      this.#fail(at, task, task.id, messageOf(thrown), thrown);
      this.finish(task);
    }
  }

  /** A batch whose results belong to nobody in particular: they travel on, their sources stay pending. */
  unattributed(at: number, tasks: readonly LiveTask[], values: readonly unknown[]): void {
    const { host, emit, dataset, stages } = this.#options;
    const state = stages[at]!;
    const { name, many } = state.plan;
    emit({
      type: "warning",
      message:
        `stage "${printable(name)}" gave results for a batch of ${tasks.length} that cannot be ` +
        `attributed (${many ? "one list" : "one result"} per task, in order, is expected): they ` +
        `travel on, but their sources stay pending and run again`,
      subject: name,
    });
    for (const value of values) {
      state.emitted++;
      const task = new LiveTask(value, undefined, [], dataset, `r${host.uniqueId()}`);
      if (at < this.#last) this.#queue(at + 1, task);
    }
    for (const task of tasks) this.finish(task);
  }

  /** The task is done with; its children, if any, are on their way. */
  finish(task: LiveTask): void {
    const { source } = task;
    if (source !== undefined && --source.live === 0 && !this.#stopped) {
      this.#options.sources.settle(source);
    }
  }

  /** Ends the run, after what is open, with what the source stage threw. */
  sourceError(thrown: unknown): void {
    const { name } = this.#options.stages[0]!.plan;
    const reason = typeof thrown === "string" ? thrown : messageOf(thrown);
    this.#options.onSourceError(
      thrown instanceof TidemarkError ? thrown : new TidemarkError(
        "SOURCE_FAILED",
        `the source stage "${printable(name)}" failed: ${reason}`,
        { cause: thrown, subject: name },
      ),
    );
  }

  /**
   * Counts a slot and says whether its value goes on to the next stage. `index` is undefined
   * when the slot stands for the task itself rather than for a child of it.
   */
  #passes(at: number, task: LiveTask, value: unknown, index: number | undefined): boolean {
    const state = this.#options.stages[at]!;
    const { isSink, name } = state.plan;
    if (value instanceof FailedTask || (value === undefined && !isSink)) {
      const id = index === undefined ? task.id : `${task.id}_${index}`;
      const reason = value === undefined ? missingResult(name).message : value.reason;
      this.#fail(at, task, id, reason);
      return false;
    }
    const filtered = isFiltered(value);
    if (filtered) state.filtered++;
    else state.emitted++;
    if (!filtered && !isSink) return true;
    const path = index === undefined ? task.path : [...task.path, index];
    this.#drained(task, path);
    return false;
  }

  #source(parent: LiveTask, value: unknown, index: number): void {
    const { stages, sources, dataset } = this.#options;
    const state = stages[0]!;
    if (isFiltered(value)) {
      state.filtered++;
      return;
    }
    if (value instanceof FailedTask || value === undefined) {
      this.sourceError(value === undefined ? missingResult(state.plan.name) : value.reason);
      return;
    }
    let source: OpenSource | undefined;
    try {
      source = sources.open(parent, value, index);
    } catch (thrown) {
      this.sourceError(thrown);
      return;
    }
    if (source === undefined) return;
    state.emitted++;
    const task = new LiveTask(value, source, [], dataset, source.taskId);
    if (this.#last > 0) {
      this.#queue(1, task);
      return;
    }
    source.live = 1;
    this.#drained(task, task.path);
    this.finish(task);
  }

  #drained(task: LiveTask, path: readonly number[]): void {
    const { source } = task;
    if (source === undefined) return;
    this.#options.checkpoint.apply([{ kind: "drained", source: source.id, path }]);
  }

  #fail(at: number, task: LiveTask, id: string, reason: string, cause?: unknown): void {
    const { sources, stages, onFailure } = this.#options;
    const state = stages[at]!;
    state.failed++;
    if (task.source !== undefined) sources.fail(task.source, reason);
    const failure = { stage: state.plan.name, task: id, reason };
    onFailure(taskFailure(failure, task.source, cause), state);
  }

  #queue(at: number, task: LiveTask): void {
    if (this.#stopped) return;
    if (task.source !== undefined) task.source.live++;
    this.#options.stages[at]!.queue.push(task);
  }
}
