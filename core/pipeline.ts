import { printable, TidemarkError } from "./errors.ts";
import type { RunReport } from "./event.ts";
import type { Host } from "./host.ts";
import { BOOLEAN, checkOptions, type OptionKinds, TEXT, WHOLE_FROM_1 } from "./option_check.ts";
import type { DeclaredRole, PipelineEntry } from "./plan.ts";
import { RETRY } from "./retry.ts";
import { runStages } from "./run.ts";
import type { RunOptions } from "./run_options.ts";
import type {
  AnyStage,
  Awaitable,
  Many,
  RetryOptions,
  Slot,
  Stage,
  StageContext,
} from "./stage.ts";
import { isPromiseLike } from "./slot.ts";
import { type SourceInput, type SourceOptions, sourceStage } from "./source_input.ts";
import { FailedTask, NoneTask, type SourceRef, type Task } from "./task.ts";

/** What a function of a stage is told besides its payload. */
export interface TaskContext {
  /** The task's lineage path. */
  readonly id: string;
  /** The source that the task descends from. */
  readonly source: SourceRef | undefined;
  /** The child indices from the source to this task. */
  readonly path: readonly number[];
  /** The stage's name. */
  readonly stage: string;
  /** Aborts when the run gives up. */
  readonly signal: AbortSignal;
  /** Tells the user something that does not stop the run. */
  warn(message: string): void;
}

/** What a function of a batched stage is told besides its payloads. */
export type BatchContext = Omit<StageContext, "expectSources">;

/** Options of a stage that is made from a function. */
export interface StageOptions {
  /** The stage's name in reports and in the checkpoint. @default the function's name */
  readonly name?: string;
  /** How many calls run at once. @default the run's concurrency */
  readonly concurrency?: number;
  /** Try again when the function throws. @default no retries */
  readonly retry?: RetryOptions;
  /** False: refused when a checkpoint is set. @default true */
  readonly resumable?: boolean;
}

/**
 * A stage that is an object. A function has a name too, and would pass for a stage without
 * any method.
 */
export type StageObject<In, Out> = Stage<In, Out> & { readonly call?: never };

/** A pipeline that can run. */
export interface Runnable {
  /** The name that the checkpoint knows the pipeline by. */
  readonly name: string;
  /**
   * Runs the pipeline and resolves when there is nothing left to do in this run.
   * @throws {TidemarkError} for a configuration that cannot run.
   * @throws {RunError} when the run had begun and was given up; it carries the report.
   */
  run(options?: RunOptions): Promise<RunReport>;
}

/** A pipeline that has no source yet. */
export interface EmptyPipeline extends Runnable {
  /** Adds the source stage: what it emits are the sources. */
  source<T>(input: SourceInput<T>, options?: SourceOptions<T>): Pipeline<T>;
  /** Adds a stage that is an object as the source stage. */
  source<T>(stage: StageObject<undefined, T>): Pipeline<T>;
  /** Adds a stage as the source stage. */
  stage<In, Out>(stage: StageObject<In, Out>): Pipeline<Out>;
}

/** A pipeline whose last stage gives values of type `T`. Every method returns a new one. */
export interface Pipeline<T> extends Runnable {
  /** One value to one value. `null` filters the slot; `undefined` is an error. */
  map<U>(
    fn: (payload: T, context: TaskContext) => Awaitable<Slot<U>>,
    options?: StageOptions,
  ): Pipeline<U>;
  /** Keeps the values for which the function says true. */
  filter<U extends T>(
    fn: (payload: T, context: TaskContext) => payload is U,
    options?: StageOptions,
  ): Pipeline<U>;
  /** Keeps the values for which the function says true. */
  filter(
    fn: (payload: T, context: TaskContext) => Awaitable<boolean | null | NoneTask | FailedTask>,
    options?: StageOptions,
  ): Pipeline<T>;
  /** One value to any number, streamed. */
  flatMap<U>(
    fn: (
      payload: T,
      context: TaskContext,
    ) => Awaitable<Many<Slot<U>> | null | NoneTask | FailedTask>,
    options?: StageOptions,
  ): Pipeline<U>;
  /** Up to `size` values at once; one result per value, in order. */
  batch<U>(
    size: number,
    fn: (payloads: readonly T[], context: BatchContext) => Awaitable<Iterable<Slot<U>>>,
    options?: StageOptions,
  ): Pipeline<U>;
  /** Up to `size` values at once; one list of results per value, in order. */
  flatBatch<U>(
    size: number,
    fn: (
      payloads: readonly T[],
      context: BatchContext,
    ) => Awaitable<Iterable<Iterable<Slot<U>> | null | NoneTask | FailedTask>>,
    options?: StageOptions,
  ): Pipeline<U>;
  /** Adds a stage that is an object. */
  stage<U>(stage: StageObject<T, U>): Pipeline<U>;
  /** Ends the pipeline: what the function or stream took counts as durable when it resolves. */
  sink(
    sink: ((payload: T, context: TaskContext) => unknown) | WritableStream<T>,
    options?: StageOptions,
  ): Runnable;
  /** Ends the pipeline with a stage that is an object. */
  sink(stage: StageObject<T, unknown>): Runnable;
}

/**
 * A stage that stands for several, one after the other. Composites may be nested.
 * @example
 * ```ts ignore
 * pipeline("p").source(files("*.txt")).stage(composite("clean", [decode, normalise]));
 * ```
 */
export function composite<In, Out>(name: string, parts: readonly AnyStage[]): Stage<In, Out> {
  return { name, parts: [...parts] };
}

/** The function that starts pipelines on a host. */
export type PipelineFactory = (name: string) => EmptyPipeline;

/** Makes the function that starts pipelines on a host. */
export function pipelineOn(host: Host): PipelineFactory {
  return (name) => {
    if (typeof name !== "string" || name === "") {
      throw new TidemarkError(
        "PIPELINE_INVALID",
        'a pipeline needs a name: pipeline("my-pipeline")',
      );
    }
    return new Builder(host, name, []) as EmptyPipeline;
  };
}

// oxlint-disable-next-line no-explicit-any -- the interfaces above hold the types; one class serves them all
type Fn = (...args: any[]) => any;

const STAGE_OPTIONS: OptionKinds<StageOptions> = {
  name: TEXT,
  concurrency: WHOLE_FROM_1,
  retry: RETRY,
  resumable: BOOLEAN,
};

class Builder implements Runnable {
  readonly name: string;
  readonly #host: Host;
  readonly #entries: readonly PipelineEntry[];

  constructor(host: Host, name: string, entries: readonly PipelineEntry[]) {
    this.#host = host;
    this.name = name;
    this.#entries = entries;
  }

  run(options: RunOptions = {}): Promise<RunReport> {
    return runStages(this.name, this.#entries, options, this.#host);
  }

  source(input: SourceInput<unknown> | AnyStage, options?: SourceOptions<unknown>): Builder {
    return this.#with(
      "source",
      isStage(input) ? onItsOwn("source()", input, options) : sourceStage(input, options),
    );
  }

  stage(stage: AnyStage): Builder {
    if (!isStage(stage)) {
      throw new TidemarkError(
        "PIPELINE_INVALID",
        `pipeline "${
          printable(this.name)
        }": a stage is an object with process, processBatch or parts`,
      );
    }
    return this.#with("step", stage);
  }

  map(fn: Fn, options?: StageOptions): Builder {
    return this.#withMade(functionStage("map", fn, options, { process: perTask(fn) }));
  }

  filter(fn: Fn, options?: StageOptions): Builder {
    const judge = perTask(fn);
    const process = (task: Task<unknown>, context: StageContext) => {
      const verdict = judge(task, context);
      return isPromiseLike(verdict)
        ? verdict.then((v) => kept(task.payload, v, context.stage))
        : kept(task.payload, verdict, context.stage);
    };
    return this.#withMade(functionStage("filter", fn, options, { process }));
  }

  flatMap(fn: Fn, options?: StageOptions): Builder {
    return this.#withMade(
      functionStage("flatMap", fn, options, { output: "many", process: perTask(fn) }),
    );
  }

  batch(size: number, fn: Fn, options?: StageOptions): Builder {
    return this.#withMade(functionStage("batch", fn, options, perBatch(size, fn)));
  }

  flatBatch(size: number, fn: Fn, options?: StageOptions): Builder {
    return this.#withMade(
      functionStage("flatBatch", fn, options, { output: "many", ...perBatch(size, fn) }),
    );
  }

  sink(sink: Fn | WritableStream | AnyStage, options?: StageOptions): Builder {
    if (isStage(sink)) return this.#with("sink", onItsOwn("sink()", sink, options));
    const made = typeof sink === "function"
      ? functionStage("sink", sink, options, { process: perTask(sink) })
      : streamSink(sink, options);
    return this.#withMade(made, "sink");
  }

  #with(role: DeclaredRole, stage: AnyStage, needsInput = false): Builder {
    return new Builder(this.#host, this.name, [...this.#entries, { role, stage, needsInput }]);
  }

  /** Adds a stage that was made from a function of a payload, or from a stream. */
  #withMade(stage: AnyStage, role: DeclaredRole = "step"): Builder {
    return this.#with(role, stage, true);
  }
}

function isStage(value: unknown): value is AnyStage {
  if (typeof value !== "object" || value === null) return false;
  const stage = value as Partial<AnyStage>;
  return (
    typeof stage.process === "function" || typeof stage.processBatch === "function" ||
    Array.isArray(stage.parts)
  );
}

/** A stage that is an object says everything itself, so that options beside it are a mistake. */
function onItsOwn(owner: string, stage: AnyStage, options: unknown): AnyStage {
  if (options === undefined) return stage;
  throw new TidemarkError(
    "OPTION_INVALID",
    `${owner} takes no options beside the stage "${printable(stage.name)}": set them on the stage`,
    { subject: "options" },
  );
}

function functionStage(
  kind: string,
  fn: unknown,
  options: StageOptions = {},
  behaviour: Partial<AnyStage>,
): AnyStage {
  if (typeof fn !== "function") {
    throw new TidemarkError("PIPELINE_INVALID", `${kind} takes a function, not ${typeof fn}`);
  }
  checkOptions(`${kind}()`, options, STAGE_OPTIONS);
  return { ...options, ...behaviour, name: options.name ?? (fn.name || kind) };
}

class FunctionContext implements TaskContext {
  readonly #task: Task<unknown>;
  readonly #context: StageContext;

  constructor(task: Task<unknown>, context: StageContext) {
    this.#task = task;
    this.#context = context;
  }

  get id(): string {
    return this.#task.id;
  }

  get source(): SourceRef | undefined {
    return this.#task.source;
  }

  get path(): readonly number[] {
    return this.#task.path;
  }

  get stage(): string {
    return this.#context.stage;
  }

  get signal(): AbortSignal {
    return this.#context.signal;
  }

  warn(message: string): void {
    this.#context.warn(message);
  }
}

function perTask(fn: Fn): (task: Task<unknown>, context: StageContext) => unknown {
  return (task, context) => fn(task.payload, new FunctionContext(task, context));
}

function perBatch(size: number, fn: Fn): Partial<AnyStage> {
  return {
    batchSize: size,
    processBatch: (tasks, context) => fn(tasks.map((t) => t.payload), context),
  };
}

/** What a filter's verdict makes of the payload: a forgotten `return` must not drop it. */
function kept(payload: unknown, verdict: unknown, stage: string): unknown {
  if (verdict === undefined) {
    return new FailedTask(
      `stage "${printable(stage)}" returned undefined: return true to keep the value, or false`,
    );
  }
  if (verdict instanceof NoneTask || verdict instanceof FailedTask) return verdict;
  return verdict ? payload : null;
}

function streamSink(stream: WritableStream<unknown>, options: StageOptions = {}): AnyStage {
  if (typeof (stream as Partial<WritableStream> | null)?.getWriter !== "function") {
    throw new TidemarkError(
      "PIPELINE_INVALID",
      "a sink is a function, a WritableStream or a stage",
    );
  }
  checkOptions("sink()", options, STAGE_OPTIONS);
  let writer: WritableStreamDefaultWriter<unknown> | undefined;
  return {
    ...options,
    name: options.name ?? "stream",
    concurrency: 1,
    setup: () => {
      writer = stream.getWriter();
    },
    process: (task) => writer!.write(task.payload),
    teardown: async () => {
      await writer!.close();
    },
  };
}
