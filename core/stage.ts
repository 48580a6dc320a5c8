import type { FailedTask, NoneTask, SourceRef, Task } from "./task.ts";

/** What a slot may hold: a value to pass on, or a word about the slot. */
export type Slot<T> = T | null | NoneTask | FailedTask;

/** A value now or later. */
export type Awaitable<T> = T | PromiseLike<T>;

/** Several values, at once or streamed. */
export type Many<T> = Iterable<T> | AsyncIterable<T>;

/** When a stage that throws is tried again. Slots that are returned as failed are not. */
export interface RetryOptions {
  /** How often to try in all. An integer of at least 1. */
  readonly attempts: number;
  /** Milliseconds before the second attempt. @default 100 */
  readonly delay?: number;
  /** What the delay is multiplied with from one attempt to the next. @default 2 */
  readonly factor?: number;
  /** The longest delay, in milliseconds. @default 30000 */
  readonly maxDelay?: number;
}

/** What a stage is told about the run that it is part of. */
export interface StageContext {
  /** The stage's name. */
  readonly stage: string;
  /** Aborts when the run gives up: long work may stop then. */
  readonly signal: AbortSignal;
  /** Tells the user something that does not stop the run. */
  warn(message: string): void;
  /** For a source stage: how many sources there will be. Only progress depends on it. */
  expectSources(count: number): void;
}

/**
 * One step of a pipeline. `process` or `processBatch` is required; the methods of
 * the builder are sugar over this interface.
 */
export interface Stage<In, Out> {
  /** A name for reports and messages. */
  readonly name: string;
  /**
   * `"one"`: each task gives one result. `"many"`: each gives any number, and the results of
   * `process` are streamed. @default "one"
   */
  readonly output?: "one" | "many";
  /** How many tasks `processBatch` takes at most. @default 1 */
  readonly batchSize?: number;
  /** How many calls run at once. @default the run's concurrency */
  readonly concurrency?: number;
  /** Try again when it throws. @default no retries */
  readonly retry?: RetryOptions;
  /** False for a stage that must not be skipped on resume; refused when a checkpoint is set. */
  readonly resumable?: boolean;
  /** A composite stage names its parts and has no `process` of its own. */
  readonly parts?: readonly AnyStage[];

  /** Called once per run before the first task. */
  setup?(context: StageContext): Awaitable<void>;
  /** Called once per run after the last task, also when the run failed. */
  teardown?(context: StageContext): Awaitable<void>;
  /** One slot (`output: "one"`), or many. */
  process?(task: Task<In>, context: StageContext): Awaitable<Slot<Out> | Many<Slot<Out>>>;
  /**
   * One result per task in the same order (`output: "one"`), or one list per task (`"many"`).
   * Results that do not match the tasks cannot be attributed: they travel on, but their
   * sources stay pending.
   */
  processBatch?(
    tasks: readonly Task<In>[],
    context: StageContext,
  ): Awaitable<Iterable<Slot<Out> | Iterable<Slot<Out>>> | null>;

  /** As the source stage: the content id of a source. Undefined: its position counts. */
  sourceId?(payload: Out): string | undefined;
  /** As the source stage: the version of a source's content. */
  sourceVersion?(payload: Out): string | undefined;
  /**
   * As the source stage: what people call a source, for failures and events, such as a file's
   * path. It is no identity and is not recorded. Undefined: its id stands for it.
   */
  sourceLabel?(payload: Out): string | undefined;

  /**
   * As the sink: called when every task of a source drained, before the source is recorded
   * complete. Resolves when what was written for it is durable and in place.
   */
  commitSource?(source: SourceRef, context: StageContext): Awaitable<void>;
  /** As the sink: called instead of `commitSource` when the source did not complete. */
  discardSource?(source: SourceRef, context: StageContext): Awaitable<void>;
}

/** A stage of unknown types. */
// oxlint-disable-next-line no-explicit-any -- variance: a list of stages has no common type
export type AnyStage = Stage<any, any>;
