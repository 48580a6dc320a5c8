import type { Checkpoint } from "./checkpoint.ts";
import { messageOf, printable, TidemarkError } from "./errors.ts";
import type { RunEvent, TaskFailure } from "./event.ts";
import type { Fact } from "./fact.ts";
import type { Host } from "./host.ts";
import { LiveTask, type OpenSource } from "./live_task.ts";
import { backoff } from "./retry.ts";
import {
  attribute, isFiltered, isPromiseLike, iteratorOf, missingResult, unattributed,
} from "./slot.ts";
import type { Sources } from "./sources.ts";
import type { Expansion, StageState } from "./stage_state.ts";
import { FailedTask } from "./task.ts";

/** How long the engine keeps the thread before others have their turn, in milliseconds. */
const SLICE = 10;
/** How many steps pass between two looks at the clock. */
const STEPS_PER_LOOK = 64;
/** How long a partly filled batch waits for an input that is slow to come, in milliseconds. */
const LINGER = 20;

/** What {@link Scheduler} needs to know about its run. */
export interface SchedulerOptions {
  readonly dataset: string;
  readonly stages: readonly StageState[];
  readonly sources: Sources;
  readonly checkpoint: Checkpoint;
  readonly host: Host;
  readonly maxOpenSources: number;
  /** Aborts when the run gives up; cuts waits between attempts short. */
  readonly signal: AbortSignal;
  emit(event: RunEvent): void;
  /** A slot failed. */
  onFailure(failure: TaskFailure, state: StageState): void;
  /** The source stage cannot go on. */
  onSourceError(error: TidemarkError): void;
}

/**
 * Moves tasks through the stages, depth first: the stage nearest the sink that has work is
 * served, and a new source is opened only when nothing else can run. So memory follows the
 * open sources, and these are bounded.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #stages: readonly StageState[];
  readonly #last: number;
  readonly #done = Promise.withResolvers<void>();
  #draining = false;
  #aborted = false;
  #pumping = false;
  #resting = false;
  #steps = 0;
  #sliceEnd = 0;
  #lingering = false;
  /** Waiting longer for a fuller batch was in vain. */
  #starved = false;

  constructor(options: SchedulerOptions) {
    this.#options = options;
    this.#stages = options.stages;
    this.#last = options.stages.length - 1;
  }

  /** Runs the source stage on the initial tasks and everything that follows from it. */
  run(initial: readonly LiveTask[]): Promise<void> {
    this.#stages[0]!.queue.push(...initial);
    this.pump();
    return this.#done.promise;
  }

  /** Opens no more sources; what is open runs to its end. */
  drain(): void {
    if (this.#draining) return;
    this.#draining = true;
    const source = this.#stages[0]!;
    source.queue.length = 0;
    this.#closeExpansions(source);
    this.pump();
  }

  /** Starts nothing any more; what is being called runs to its end. */
  abort(): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#draining = true;
    for (const state of this.#stages) {
      state.queue.length = 0;
      this.#closeExpansions(state);
    }
    this.pump();
  }

  /** Does all that can be done now. */
  pump(): void {
    if (this.#pumping || this.#resting) return;
    this.#pumping = true;
    let at = this.#last;
    while (at >= 0) {
      at = this.#step(at) ? Math.min(at + 1, this.#last) : at - 1;
      if (at < 0 && this.#startStarvedBatch()) at = this.#last;
      if (++this.#steps % STEPS_PER_LOOK === 0 && this.#options.host.elapsed() > this.#sliceEnd) {
        this.#rest();
        break;
      }
    }
    this.#pumping = false;
    if (!this.#resting && this.#isFinished) this.#done.resolve();
  }

  get #isFinished(): boolean {
    if (this.#aborted) return this.#stages.every((s) => s.calls === 0);
    return this.#options.sources.openCount === 0 && this.#stages.every((s) => s.isIdle);
  }

  #rest(): void {
    this.#resting = true;
    void this.#options.host.yield().then(() => {
      this.#resting = false;
      this.#sliceEnd = this.#options.host.elapsed() + SLICE;
      this.pump();
    });
  }

  /** One piece of work of one stage. Returns whether there was any. */
  #step(at: number): boolean {
    const state = this.#stages[at]!;
    const next = this.#stages[at + 1];
    if (state.expansions.length > 0 && (next?.hasRoom ?? true) && (at > 0 || this.#mayOpenSource)) {
      const expansion = state.expansions.find((e) => !e.waiting);
      if (expansion !== undefined) {
        this.#pull(at, expansion);
        return true;
      }
    }
    const ready = state.queue.length >= state.plan.batchSize ||
      (at === 0 && state.queue.length > 0);
    if (!ready || !state.hasFreeCall || next?.isCrowded || (at === 0 && !this.#mayOpenSource)) {
      return false;
    }
    this.#start(at);
    return true;
  }

  get #mayOpenSource(): boolean {
    if (this.#draining) return false;
    const { sources, maxOpenSources } = this.#options;
    const asked = this.#stages[0]!.expansions.reduce((n, e) => n + (e.waiting ? 1 : 0), 0);
    return sources.openCount + asked + this.#stages[0]!.calls < maxOpenSources;
  }

  /**
   * Lets a partly filled batch go when its input is starved: nothing before it is under way
   * and no source can be opened. A source that is merely slow gets a moment.
   */
  #startStarvedBatch(): boolean {
    const at = this.#stages.findIndex((s, i) => i > 0 && s.queue.length > 0 && s.hasFreeCall);
    if (at < 0 || this.#stages[at]!.queue.length >= this.#stages[at]!.plan.batchSize) return false;
    const before = this.#stages.slice(0, at);
    if (before.some((s) => s.calls > 0)) return false;
    // A source that is being recorded makes room for another one in a moment.
    const source = this.#stages[0]!;
    if (this.#options.sources.settling > 0 && !source.isIdle) return false;
    if (before.some((s) => s.expansions.some((e) => e.waiting)) && !this.#starved) {
      this.#linger();
      return false;
    }
    if (this.#stages[at + 1]?.isCrowded) return false;
    this.#starved = false;
    this.#start(at);
    return true;
  }

  #linger(): void {
    if (this.#lingering) return;
    this.#lingering = true;
    void this.#options.host.sleep(LINGER).then(() => {
      this.#lingering = false;
      this.#starved = true;
      this.pump();
      this.#starved = false;
    });
  }

  #start(at: number): void {
    const state = this.#stages[at]!;
    const tasks = state.queue.splice(0, state.plan.batchSize);
    state.calls++;
    state.tasks += tasks.length;
    this.#attempt(at, tasks, 1);
  }

  #attempt(at: number, tasks: readonly LiveTask[], attempt: number): void {
    const { plan, context } = this.#stages[at]!;
    const began = this.#options.host.elapsed();
    let returned: unknown;
    try {
      returned = plan.batched
        ? plan.stage.processBatch!(tasks, context)
        : plan.stage.process!(tasks[0]!, context);
    } catch (thrown) {
      this.#spent(at, began);
      this.#threw(at, tasks, attempt, thrown);
      return;
    }
    if (!isPromiseLike(returned)) {
      this.#spent(at, began);
      this.#returned(at, tasks, attempt, returned);
      return;
    }
    returned.then(
      (value) => {
        this.#spent(at, began);
        this.#returned(at, tasks, attempt, value);
        this.pump();
      },
      (thrown: unknown) => {
        this.#spent(at, began);
        this.#threw(at, tasks, attempt, thrown);
        this.pump();
      },
    );
  }

  #spent(at: number, began: number): void {
    this.#stages[at]!.busy += this.#options.host.elapsed() - began;
  }

  /** A call failed as a whole: it is tried again, or all its slots fail. */
  #threw(at: number, tasks: readonly LiveTask[], attempt: number, thrown: unknown): void {
    const { host, signal, emit } = this.#options;
    const state = this.#stages[at]!;
    const { retry, name, isSource } = state.plan;
    if (attempt < retry.attempts && !this.#aborted) {
      emit({ type: "stage-retried", stage: name, attempt, reason: messageOf(thrown) });
      void host.sleep(backoff(retry, attempt, host), signal).then(() => {
        if (this.#aborted) this.#threw(at, tasks, retry.attempts, thrown);
        else this.#attempt(at, tasks, attempt + 1);
        this.pump();
      });
      return;
    }
    state.calls--;
    if (isSource) {
      this.#sourceError(thrown);
      return;
    }
    for (const task of tasks) {
      this.#fail(at, task, task.id, messageOf(thrown));
      this.#finish(task);
    }
  }

  #returned(at: number, tasks: readonly LiveTask[], attempt: number, returned: unknown): void {
    const state = this.#stages[at]!;
    const { many, batched } = state.plan;
    if (this.#aborted) {
      state.calls--;
      return;
    }
    if (batched) {
      const results = attribute(returned, tasks.length, many);
      state.calls--;
      if (results === undefined) this.#unattributed(at, tasks, returned);
      else tasks.forEach((task, i) => this.#result(at, task, attempt, results[i]));
    } else {
      state.calls--;
      this.#result(at, tasks[0]!, attempt, returned);
    }
  }

  /** What a stage gave for one task: a slot, or a fan-out. */
  #result(at: number, task: LiveTask, attempt: number, value: unknown): void {
    const state = this.#stages[at]!;
    const { many, isSource, isSink, name } = state.plan;
    if (!many) {
      if (isSource) this.#emitSource(task, value, 0);
      else if (value === undefined && !isSink) this.#fail(at, task, task.id, missingResult(name).message);
      else if (isFiltered(value)) this.#filter(at, task, task.path);
      else if (value instanceof FailedTask) this.#fail(at, task, task.id, value.reason);
      else if (isSink) this.#consume(at, task, task.path);
      else {
        this.#fact(task, { kind: "expanded", source: "", path: task.path, children: 1 });
        this.#pass(at, task.child(value, 0));
      }
      this.#finish(task);
      return;
    }
    if (value instanceof FailedTask || isFiltered(value)) {
      if (!isSource) {
        if (value instanceof FailedTask) this.#fail(at, task, task.id, value.reason);
        else this.#filter(at, task, task.path);
      } else if (value instanceof FailedTask) this.#sourceError(value.reason);
      this.#finish(task);
      return;
    }
    let iterator: Expansion["iterator"] | undefined;
    try {
      iterator = iteratorOf(value);
      if (iterator === undefined) {
        throw new TidemarkError(
          "TASK_RESULT_INVALID",
          `stage "${printable(name)}" returned ${typeof value}: return a list, an iterable or an ` +
            `async iterable, or null to filter`,
          { subject: name },
        );
      }
    } catch (thrown) {
      state.calls++;
      this.#threw(at, [task], state.plan.retry.attempts, thrown);
      return;
    }
    const expansion = {
      task,
      iterator,
      attempt,
      count: Array.isArray(value) && !isSource ? value.length : undefined,
      emitted: 0,
      waiting: false,
    };
    state.expansions.push(expansion);
    if (isSource && this.#draining) {
      this.#closeExpansions(state);
      return;
    }
    const { count } = expansion;
    if (count !== undefined) {
      this.#fact(task, { kind: "expanded", source: "", path: task.path, children: count });
    }
  }

  /** Asks a fan-out for its next child. */
  #pull(at: number, expansion: Expansion): void {
    const began = this.#options.host.elapsed();
    let next: IteratorResult<unknown> | PromiseLike<IteratorResult<unknown>>;
    try {
      next = expansion.iterator.next();
    } catch (thrown) {
      this.#spent(at, began);
      this.#expansionThrew(at, expansion, thrown);
      return;
    }
    if (!isPromiseLike(next)) {
      this.#spent(at, began);
      this.#pulled(at, expansion, next);
      return;
    }
    expansion.waiting = true;
    next.then(
      (result) => {
        this.#spent(at, began);
        expansion.waiting = false;
        this.#pulled(at, expansion, result);
        this.pump();
      },
      (thrown: unknown) => {
        this.#spent(at, began);
        expansion.waiting = false;
        this.#expansionThrew(at, expansion, thrown);
        this.pump();
      },
    );
  }

  #pulled(at: number, expansion: Expansion, result: IteratorResult<unknown>): void {
    const state = this.#stages[at]!;
    // Closed meanwhile: what still comes is nobody's.
    if (!state.expansions.includes(expansion)) return;
    const { task } = expansion;
    if (result.done) {
      this.#removeExpansion(state, expansion);
      if (!state.plan.isSource && expansion.count !== expansion.emitted) {
        this.#fact(task, {
          kind: "expanded",
          source: "",
          path: task.path,
          children: expansion.emitted,
        });
      }
      this.#finish(task);
      return;
    }
    const index = expansion.emitted++;
    if (state.plan.isSource) this.#emitSource(task, result.value, index);
    else this.#emitChild(at, task, result.value, index);
  }

  #emitChild(at: number, task: LiveTask, value: unknown, index: number): void {
    const { isSink, name } = this.#stages[at]!.plan;
    if (value === undefined && !isSink) {
      this.#fail(at, task, `${task.id}_${index}`, missingResult(name).message);
    } else if (isFiltered(value)) this.#filter(at, task, [...task.path, index]);
    else if (value instanceof FailedTask) this.#fail(at, task, `${task.id}_${index}`, value.reason);
    else if (isSink) this.#consume(at, task, [...task.path, index]);
    else this.#pass(at, task.child(value, index));
  }

  #emitSource(parent: LiveTask, value: unknown, index: number): void {
    const state = this.#stages[0]!;
    if (isFiltered(value)) {
      state.filtered++;
      return;
    }
    if (value === undefined || value instanceof FailedTask) {
      this.#sourceError(value instanceof FailedTask ? value.reason : missingResult(state.plan.name));
      return;
    }
    let source: OpenSource | undefined;
    try {
      source = this.#options.sources.open(parent, value, index);
    } catch (thrown) {
      this.#sourceError(thrown);
      return;
    }
    if (source === undefined) return;
    state.emitted++;
    const task = new LiveTask(value, source, [], this.#options.dataset, source.taskId);
    if (this.#last > 0) {
      this.#enqueue(1, task);
      return;
    }
    source.live = 1;
    this.#fact(task, { kind: "drained", source: source.id, path: [] });
    this.#finish(task);
  }

  /** A batch whose results belong to nobody in particular: they travel on, their sources stay pending. */
  #unattributed(at: number, tasks: readonly LiveTask[], returned: unknown): void {
    const { host, emit, dataset } = this.#options;
    const state = this.#stages[at]!;
    const { name, many, isSource } = state.plan;
    const values = unattributed(returned, many);
    emit({
      type: "warning",
      message: `stage "${printable(name)}" gave results for a batch of ${tasks.length} that cannot be ` +
        `attributed (${many ? "one list" : "one result"} per task, in order, is expected): they ` +
        `travel on, but their sources stay pending and run again`,
      subject: name,
    });
    for (const value of values) {
      state.emitted++;
      const task = new LiveTask(value, undefined, [], dataset, `r${host.uniqueId()}`);
      if (at < this.#last) this.#enqueue(at + 1, task);
    }
    if (!isSource) for (const task of tasks) this.#finish(task);
  }

  #pass(at: number, child: LiveTask): void {
    this.#stages[at]!.emitted++;
    this.#enqueue(at + 1, child);
  }

  #consume(at: number, task: LiveTask, path: readonly number[]): void {
    this.#stages[at]!.emitted++;
    this.#fact(task, { kind: "drained", source: "", path });
  }

  #filter(at: number, task: LiveTask, path: readonly number[]): void {
    this.#stages[at]!.filtered++;
    this.#fact(task, { kind: "drained", source: "", path });
  }

  #fail(at: number, task: LiveTask, id: string, reason: string): void {
    const { sources, onFailure } = this.#options;
    const state = this.#stages[at]!;
    state.failed++;
    if (task.source !== undefined) sources.fail(task.source, reason);
    onFailure({ stage: state.plan.name, source: task.source?.id, task: id, reason }, state);
  }

  #enqueue(at: number, task: LiveTask): void {
    if (this.#aborted) return;
    if (task.source !== undefined) task.source.live++;
    this.#stages[at]!.queue.push(task);
  }

  /** The task is done with; its children, if any, are on their way. */
  #finish(task: LiveTask): void {
    const { source } = task;
    if (source !== undefined && --source.live === 0 && !this.#aborted) {
      this.#options.sources.settle(source);
    }
  }

  #fact(task: LiveTask, fact: Fact): void {
    if (task.source !== undefined) {
      this.#options.checkpoint.apply([{ ...fact, source: task.source.id }]);
    }
  }

  #expansionThrew(at: number, expansion: Expansion, thrown: unknown): void {
    const state = this.#stages[at]!;
    if (!state.expansions.includes(expansion)) return;
    this.#removeExpansion(state, expansion);
    state.calls++;
    // Once children are on their way another attempt would mix with the first.
    const attempt = expansion.emitted === 0 ? expansion.attempt : state.plan.retry.attempts;
    this.#threw(at, [expansion.task], attempt, thrown);
  }

  #sourceError(thrown: unknown): void {
    const error = thrown instanceof TidemarkError ? thrown : new TidemarkError(
      "SOURCE_FAILED",
      `the source stage "${printable(this.#stages[0]!.plan.name)}" failed: ` +
        (typeof thrown === "string" ? thrown : messageOf(thrown)),
      { cause: thrown, subject: this.#stages[0]!.plan.name },
    );
    this.#options.onSourceError(error);
  }

  #removeExpansion(state: StageState, expansion: Expansion): void {
    state.expansions.splice(state.expansions.indexOf(expansion), 1);
  }

  #closeExpansions(state: StageState): void {
    for (const { iterator } of state.expansions.splice(0)) {
      try {
        const closed = iterator.return?.();
        if (isPromiseLike(closed)) closed.then(undefined, () => {});
      } catch {
        // Whatever it was closing, nobody reads from it any more.
      }
    }
  }
}
