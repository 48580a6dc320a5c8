import { Checkpoint } from "./checkpoint.ts";
import {
  type ErrorCode,
  messageOf,
  printable,
  TidemarkError,
  type TidemarkErrorOptions,
} from "./errors.ts";
import type { RunEvent, RunReport, TaskFailure } from "./event.ts";
import { verdict } from "./failure_policy.ts";
import type { Host } from "./host.ts";
import { LiveTask, type OpenSource } from "./live_task.ts";
import { type PipelineEntry, type PlannedStage, planStages } from "./plan.ts";
import { backoff } from "./retry.ts";
import { type CheckedOptions, checkRunOptions, type RunOptions } from "./run_options.ts";
import { Scheduler } from "./scheduler.ts";
import { Sources } from "./sources.ts";
import type { StageContext } from "./stage.ts";
import { StageState } from "./stage_state.ts";
import type { CheckpointStore } from "./store.ts";
import { EmptyTask, type SourceRef } from "./task.ts";
import { taskFailure } from "./task_failure.ts";

/** A run that had begun and ended badly. What was recorded stays recorded. */
export class RunError extends TidemarkError {
  /** The name of the class. */
  override readonly name = "RunError";
  /** What the run did until then. */
  readonly report: RunReport;

  /** Made by a run. */
  constructor(code: ErrorCode, message: string, report: RunReport, options?: TidemarkErrorOptions) {
    super(code, message, options);
    this.report = report;
  }
}

/** How many failures, and how many warnings, a report lists. */
const LISTED = 100;
/**
 * Runs the stages that were added to a pipeline once.
 * @throws {TidemarkError} for a configuration that cannot run.
 * @throws {RunError} when the run had begun and was given up.
 */
export async function runStages(
  pipeline: string,
  entries: readonly PipelineEntry[],
  options: RunOptions,
  host: Host,
): Promise<RunReport> {
  const checked = checkRunOptions(options);
  const stages = planStages(pipeline, entries, checked.initialTasks !== undefined);
  const { checkpoint: config } = options;
  const run = new Run(pipeline, stages, options, checked, host);
  if (config === undefined) return await run.start(undefined);
  const stubborn = stages.find((s) => s.stage.resumable === false);
  if (stubborn !== undefined) {
    throw new TidemarkError(
      "STAGE_NOT_RESUMABLE",
      `stage "${printable(stubborn.name)}" is not resumable, so the pipeline cannot run with a ` +
        `checkpoint. Run it without one, or take the stage out`,
      { subject: stubborn.name },
    );
  }
  const store = await host.openStore(
    config,
    (warning) => run.warn(warning.message, warning.subject),
  );
  try {
    return await run.start(store);
  } finally {
    if (store !== config) await store.close();
  }
}

class Run {
  readonly #pipeline: string;
  readonly #options: RunOptions;
  readonly #checked: CheckedOptions;
  readonly #host: Host;
  readonly #states: readonly StageState[];
  readonly #abort = new AbortController();
  readonly #failures: TaskFailure[] = [];
  readonly #warnings: string[] = [];
  #failureCount = 0;
  #sources: Sources | undefined;
  #scheduler: Scheduler | undefined;
  #error: TidemarkError | undefined;
  #interrupted = false;
  #completeBefore = 0;

  constructor(
    pipeline: string,
    stages: readonly PlannedStage[],
    options: RunOptions,
    checked: CheckedOptions,
    host: Host,
  ) {
    this.#pipeline = pipeline;
    this.#options = options;
    this.#checked = checked;
    this.#host = host;
    this.#states = stages.map((plan) =>
      new StageState(plan, this.#context(plan.name), checked.concurrency)
    );
  }

  warn(message: string, subject?: string): void {
    this.#emit({ type: "warning", message, ...(subject === undefined ? {} : { subject }) });
  }

  async start(store: CheckpointStore | undefined): Promise<RunReport> {
    const startedAt = this.#host.now();
    const began = this.#host.elapsed();
    const names = this.#states.map((s) => s.plan.name);
    const checkpoint = await Checkpoint.open({
      store,
      host: this.#host,
      pipeline: this.#pipeline,
      stages: names,
      acceptChanged: this.#options.resumeChanged ?? false,
      onWarning: (warning) => this.warn(warning.message, warning.subject),
    });
    this.#completeBefore = checkpoint.completeCount;
    this.#emit({
      type: "run-started",
      pipeline: this.#pipeline,
      stages: names,
      alreadyComplete: checkpoint.completeCount,
    });
    const ready: StageState[] = [];
    try {
      for (const state of this.#states) {
        await this.#setup(state);
        ready.push(state);
      }
      await this.#process(checkpoint);
    } finally {
      await checkpoint.close();
      for (const state of ready.toReversed()) await this.#teardown(state);
    }
    this.#error ??= checkpoint.failure;
    const report = this.#report(startedAt, began);
    this.#emit({ type: "run-finished", report });
    if (this.#error !== undefined) throw this.#runError(this.#error, report);
    return report;
  }

  async #process(checkpoint: Checkpoint): Promise<void> {
    const { signal } = this.#options;
    const { initialTasks = [new EmptyTask()] } = this.#checked;
    const sink = this.#states.at(-1)!;
    const { stage } = sink.plan;
    const sources = this.#sources = new Sources({
      checkpoint,
      host: this.#host,
      sourceStage: this.#states[0]!.plan.stage,
      commit: stage.commitSource === undefined ? undefined : (source) => this.#commit(sink, source),
      discard: stage.discardSource === undefined
        ? undefined
        : async (source) => await stage.discardSource!(refOf(source), sink.context),
      emit: (event) => this.#emit(event),
      onSettled: () => scheduler.pump(),
      onUnrecorded: () => this.#drain("the checkpoint cannot be written"),
      onCommitFailed: (source, thrown) => {
        sink.failed++;
        const reason = messageOf(thrown);
        const failure = { stage: sink.plan.name, task: source.taskId, reason };
        this.#failed(taskFailure(failure, source, thrown), sink);
      },
    });
    const scheduler = this.#scheduler = new Scheduler({
      dataset: this.#pipeline,
      stages: this.#states,
      sources,
      checkpoint,
      host: this.#host,
      maxOpenSources: this.#checked.maxOpenSources,
      signal: this.#abort.signal,
      emit: (event) => this.#emit(event),
      onFailure: (failure, state) => this.#failed(failure, state),
      onSourceError: (error) => {
        this.#error ??= error;
        this.#drain(error.message);
      },
    });
    const onAbort = () => {
      this.#interrupted = true;
      this.#drain("the run was asked to stop");
    };
    if (signal?.aborted) onAbort();
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      await scheduler.run(initialTasks.map((payload, i) => initialTask(payload, i)));
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
    await sources.abandon();
  }

  #context(stage: string): StageContext {
    return {
      stage,
      signal: this.#abort.signal,
      warn: (message) => this.warn(message, stage),
      expectSources: (count) => this.#emit({ type: "sources-expected", count }),
    };
  }

  async #setup({ plan, context }: StageState): Promise<void> {
    try {
      await plan.stage.setup?.(context);
    } catch (thrown) {
      if (thrown instanceof TidemarkError) throw thrown;
      throw new TidemarkError(
        "STAGE_SETUP",
        `stage "${printable(plan.name)}" could not be set up: ${messageOf(thrown)}`,
        { cause: thrown, subject: plan.name },
      );
    }
  }

  async #teardown({ plan, context }: StageState): Promise<void> {
    try {
      await plan.stage.teardown?.(context);
    } catch (thrown) {
      this.#error ??= new TidemarkError(
        "STAGE_TEARDOWN",
        `stage "${printable(plan.name)}" could not be torn down: ${messageOf(thrown)}`,
        { cause: thrown, subject: plan.name },
      );
    }
  }

  async #commit({ plan, context }: StageState, source: OpenSource): Promise<void> {
    for (let attempt = 1;; attempt++) {
      try {
        await plan.stage.commitSource!(refOf(source), context);
        return;
      } catch (thrown) {
        if (attempt >= plan.retry.attempts || this.#abort.signal.aborted) throw thrown;
        this.#emit({ type: "stage-retried", stage: plan.name, attempt, reason: messageOf(thrown) });
        await this.#host.sleep(backoff(plan.retry, attempt, this.#host), this.#abort.signal);
      }
    }
  }

  #failed(failure: TaskFailure, state: StageState): void {
    this.#failureCount++;
    if (this.#failures.length < LISTED) this.#failures.push(failure);
    this.#emit({ type: "task-failed", failure });
    const { failing, drained } = this.#sources!;
    const reason = verdict(this.#checked, failure, {
      failures: this.#failureCount,
      failingSources: failing,
      goodSources: drained + this.#completeBefore,
      failedSlots: state.failed,
      goodSlots: state.emitted + state.filtered,
    });
    if (reason === undefined || this.#error !== undefined) return;
    this.#error = reason;
    this.#abort.abort(reason);
    this.#scheduler!.abort();
  }

  #drain(reason: string): void {
    this.#emit({ type: "draining", reason });
    this.#scheduler!.drain();
  }

  #report(startedAt: number, began: number): RunReport {
    const { completed, skipped, failed, pending, unrecorded } = this.#sources!;
    return {
      pipeline: this.#pipeline,
      sources: { completed, skipped, failed, pending, unrecorded },
      stages: this.#states.map(({ plan, tasks, emitted, filtered, failed: lost, busy }) => ({
        name: plan.name,
        tasks,
        emitted,
        filtered,
        failed: lost,
        busy,
      })),
      failures: this.#failures,
      failureCount: this.#failureCount,
      warnings: this.#warnings,
      startedAt,
      duration: this.#host.elapsed() - began,
      interrupted: this.#interrupted,
    };
  }

  #runError(error: TidemarkError, report: RunReport): RunError {
    const { unrecorded } = report.sources;
    const loss = unrecorded === 0
      ? ""
      : `. ${unrecorded} sources were done but could not be recorded; they run again next time`;
    return new RunError(error.code, `${error.message}${loss}`, report, {
      cause: error,
      ...(error.subject === undefined ? {} : { subject: error.subject }),
    });
  }

  #emit(event: RunEvent): void {
    if (event.type === "warning" && this.#warnings.length < LISTED) {
      this.#warnings.push(event.message);
    }
    try {
      this.#options.onEvent?.(event);
    } catch (thrown) {
      // A listener must not decide over somebody's data; its mistake is told once, at the end.
      const message = `onEvent threw: ${messageOf(thrown)}`;
      if (!this.#warnings.includes(message)) this.#warnings.push(message);
    }
  }
}

function initialTask(payload: unknown, position: number): LiveTask {
  return payload instanceof EmptyTask
    ? new LiveTask(undefined, undefined, [], payload.dataset, payload.id)
    : new LiveTask(payload, undefined, [position], "initial", "0");
}

function refOf(source: OpenSource): SourceRef {
  return { id: source.id, ...(source.version === undefined ? {} : { version: source.version }) };
}
