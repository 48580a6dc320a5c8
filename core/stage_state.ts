import type { LiveTask } from "./live_task.ts";
import type { PlannedStage } from "./plan.ts";
import type { StageContext } from "./stage.ts";

/** A fan-out that is being pulled from, one child at a time. */
export interface Expansion {
  readonly task: LiveTask;
  readonly iterator: Iterator<unknown> | AsyncIterator<unknown>;
  /** Which attempt at the task this is, from 1. */
  readonly attempt: number;
  /** How many children it will have, when that is known beforehand. */
  readonly count: number | undefined;
  /** How many children it had so far. */
  emitted: number;
  /** The next child has been asked for and has not come. */
  waiting: boolean;
}

/** A call that is to be tried again. */
export interface Attempt {
  readonly tasks: readonly LiveTask[];
  /** From 1. */
  readonly attempt: number;
}

/** One stage during a run. */
export class StageState {
  readonly plan: PlannedStage;
  readonly context: StageContext;
  /** How many calls and expansions may be under way. */
  readonly limit: number;
  readonly queue: LiveTask[] = [];
  readonly expansions: Expansion[] = [];
  /** Calls under way, those that wait for another attempt included. */
  calls = 0;
  /** Of these, the ones that are in the stage's code now. */
  running = 0;
  /** Attempts whose time has come, but not their turn: a batch's lists may all break at once. */
  readonly delayed: Attempt[] = [];
  tasks = 0;
  emitted = 0;
  filtered = 0;
  failed = 0;
  busy = 0;

  constructor(plan: PlannedStage, context: StageContext, concurrency: number) {
    this.plan = plan;
    this.context = context;
    this.limit = plan.concurrency ?? (plan.isSource ? 1 : concurrency);
  }

  get hasFreeCall(): boolean {
    return this.calls + this.expansions.length < this.limit;
  }

  /** Whether a child pulled from a fan-out now would be started soon. */
  get hasRoom(): boolean {
    const free = this.limit - this.calls - this.expansions.length;
    return this.queue.length < Math.max(1, free) * this.plan.batchSize;
  }

  /** Whether the queue is so long that the stages before it should wait. */
  get isCrowded(): boolean {
    return this.queue.length >= 2 * this.limit * this.plan.batchSize;
  }

  get isIdle(): boolean {
    return this.calls === 0 && this.expansions.length === 0 && this.queue.length === 0;
  }
}
