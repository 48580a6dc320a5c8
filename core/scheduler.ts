import { Delivery, type DeliveryOptions } from "./delivery.ts";
import { messageOf } from "./errors.ts";
import type { Host } from "./host.ts";
import type { LiveTask } from "./live_task.ts";
import { backoff } from "./retry.ts";
import { attribute, type Attribution, isFiltered, isPromiseLike, iteratorOf } from "./slot.ts";
import type { Expansion, StageState } from "./stage_state.ts";
import { FailedTask } from "./task.ts";

/** How long the engine keeps the thread before others have their turn, in milliseconds. */
const SLICE = 10;
/** How many steps pass between two looks at the clock. */
const STEPS_PER_LOOK = 64;
/** How long a partly filled batch waits for an input that is slow to come, in milliseconds. */
const LINGER = 20;

/** What {@link Scheduler} needs to know about its run. */
export interface SchedulerOptions extends DeliveryOptions {
  readonly host: Host;
  readonly maxOpenSources: number;
  /** Aborts when the run gives up; cuts waits between attempts short. */
  readonly signal: AbortSignal;
}

/**
 * Moves tasks through the stages, depth first: the stage nearest the sink that has work is
 * served, and a new source is opened only when nothing else can run. So memory follows the
 * open sources, and these are bounded.
 */
export class Scheduler {
  readonly #options: SchedulerOptions;
  readonly #delivery: Delivery;
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
    this.#delivery = new Delivery(options);
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
    this.#delivery.stop();
    for (const state of this.#stages) {
      state.queue.length = 0;
      state.calls -= state.delayed.splice(0).length;
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
    if (state.delayed.length > 0 && state.running < state.limit) {
      const { tasks, attempt } = state.delayed.shift()!;
      this.#attempt(at, tasks, attempt);
      return true;
    }
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
    const state = this.#stages[at]!;
    const { plan, context } = state;
    const began = this.#options.host.elapsed();
    let returned: unknown;
    state.running++;
    try {
      returned = plan.batched
        ? plan.stage.processBatch!(tasks, context)
        : plan.stage.process!(tasks[0]!, context);
    } catch (thrown) {
      this.#ended(at, began);
      this.#threw(at, tasks, attempt, thrown);
      return;
    }
    if (!isPromiseLike(returned)) {
      this.#ended(at, began);
      this.#returned(at, tasks, attempt, returned);
      return;
    }
    returned.then(
      (value) => {
        this.#ended(at, began);
        this.#returned(at, tasks, attempt, value);
        this.pump();
      },
      (thrown: unknown) => {
        this.#ended(at, began);
        this.#threw(at, tasks, attempt, thrown);
        this.pump();
      },
    );
  }

  #ended(at: number, began: number): void {
    this.#stages[at]!.running--;
    this.#spent(at, began);
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
        else state.delayed.push({ tasks, attempt: attempt + 1 });
        this.pump();
      });
      return;
    }
    state.calls--;
    if (isSource) {
      this.#delivery.sourceError(thrown);
      return;
    }
    this.#delivery.failed(at, tasks, thrown);
  }

  #returned(at: number, tasks: readonly LiveTask[], attempt: number, returned: unknown): void {
    const state = this.#stages[at]!;
    const { many, batched } = state.plan;
    if (this.#aborted) {
      state.calls--;
      return;
    }
    if (batched) {
      let results: Attribution;
      try {
        results = attribute(returned, tasks.length, many);
      } catch (thrown) {
        // The results are a list that breaks: nothing of them has been passed on yet.
        this.#threw(at, tasks, attempt, thrown);
        return;
      }
      state.calls--;
      if ("loose" in results) this.#delivery.unattributed(at, tasks, results.loose);
      else tasks.forEach((task, i) => this.#result(at, task, attempt, results.slots[i]));
    } else {
      state.calls--;
      this.#result(at, tasks[0]!, attempt, returned);
    }
  }

  /** What a stage gave for one task: a slot, or a fan-out to pull from. */
  #result(at: number, task: LiveTask, attempt: number, value: unknown): void {
    const state = this.#stages[at]!;
    const { many, isSource, name, retry } = state.plan;
    if (!many) {
      this.#delivery.one(at, task, value);
      return;
    }
    if (value instanceof FailedTask || isFiltered(value)) {
      this.#delivery.none(at, task, value);
      return;
    }
    let iterator: Expansion["iterator"];
    try {
      iterator = iteratorOf(value, name);
    } catch (thrown) {
      state.calls++;
      this.#threw(at, [task], retry.attempts, thrown);
      return;
    }
    // That there are no children means drained, which is not said before the list has ended.
    const count = Array.isArray(value) && value.length > 0 && !isSource ? value.length : undefined;
    if (count !== undefined) this.#delivery.expanded(task, count);
    state.expansions.push({ task, iterator, attempt, count, emitted: 0, waiting: false });
    if (isSource && this.#draining) this.#closeExpansions(state);
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
    const { task, emitted, count } = expansion;
    if (!result.done) {
      expansion.emitted++;
      this.#delivery.child(at, task, result.value, emitted);
      return;
    }
    this.#removeExpansion(state, expansion);
    if (count !== emitted) this.#delivery.expanded(task, emitted);
    this.#delivery.finish(task);
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
