import { printable, TidemarkError } from "./errors.ts";
import { BOOLEAN, checkOption, TEXT, WHOLE_FROM_1 } from "./option_check.ts";
import { RETRY } from "./retry.ts";
import type { AnyStage, RetryOptions } from "./stage.ts";

/** What a stage was added to a pipeline as. */
export type DeclaredRole = "source" | "step" | "sink";

/** A stage as it was added. */
export interface PipelineEntry {
  readonly stage: AnyStage;
  readonly role: DeclaredRole;
  /** It is a function of a payload, and so cannot be first unless the run is given tasks. */
  readonly needsInput: boolean;
}

/** A stage with everything that a run needs to know about it. */
export interface PlannedStage {
  readonly stage: AnyStage;
  /** Unique within the pipeline. */
  readonly name: string;
  readonly isSource: boolean;
  readonly isSink: boolean;
  readonly many: boolean;
  readonly batched: boolean;
  readonly batchSize: number;
  readonly concurrency: number | undefined;
  readonly retry: RetryOptions;
}

const NO_RETRY: RetryOptions = { attempts: 1 };

/**
 * Turns what was added to a pipeline into stages with roles: composites are expanded, the
 * first stage is the source and the last one the sink. Nothing is noted on the stages
 * themselves, so they can serve in other pipelines. `hasInput`: the run is given tasks to begin
 * with.
 * @throws {TidemarkError} `PIPELINE_INVALID` or `OPTION_INVALID`, naming the stages.
 */
export function planStages(
  pipeline: string,
  entries: readonly PipelineEntry[],
  hasInput: boolean,
): PlannedStage[] {
  const flat = entries.flatMap((entry) => expand(pipeline, entry, []));
  const fault = roleFault(flat, hasInput);
  if (fault !== undefined) {
    throw new TidemarkError("PIPELINE_INVALID", `pipeline "${printable(pipeline)}": ${fault}`, {
      subject: pipeline,
    });
  }
  for (const { stage } of flat) checkStage(stage);
  const names = uniqueNames(flat.map(({ stage }) => stage.name));
  return flat.map(({ stage }, i) => ({
    stage,
    name: names[i]!,
    isSource: i === 0,
    isSink: i === flat.length - 1,
    many: stage.output === "many",
    batched: stage.processBatch !== undefined,
    batchSize: stage.processBatch === undefined ? 1 : stage.batchSize ?? 1,
    concurrency: stage.concurrency,
    retry: stage.retry ?? NO_RETRY,
  }));
}

function expand(
  pipeline: string,
  entry: PipelineEntry,
  within: readonly AnyStage[],
): PipelineEntry[] {
  const { stage, role } = entry;
  if (within.includes(stage)) {
    throw new TidemarkError(
      "PIPELINE_INVALID",
      `pipeline "${printable(pipeline)}": the composite stage "${
        printable(stage.name)
      }" contains itself`,
      { subject: stage.name },
    );
  }
  if (stage.parts !== undefined) {
    const { parts } = stage;
    if (parts.length === 0) {
      throw new TidemarkError(
        "PIPELINE_INVALID",
        `pipeline "${printable(pipeline)}": the composite stage "${
          printable(stage.name)
        }" has no parts`,
        { subject: stage.name },
      );
    }
    return parts.flatMap((part, i) => {
      const partRole = role === "source" && i === 0
        ? role
        : role === "sink" && i === parts.length - 1
        ? role
        : "step";
      return expand(pipeline, { stage: part, role: partRole, needsInput: false }, [
        ...within,
        stage,
      ]);
    });
  }
  if ((stage.process === undefined) === (stage.processBatch === undefined)) {
    throw new TidemarkError(
      "PIPELINE_INVALID",
      `stage "${printable(stage.name)}" must have either process or processBatch`,
      { subject: stage.name },
    );
  }
  return [entry];
}

function roleFault(entries: readonly PipelineEntry[], hasInput: boolean): string | undefined {
  if (entries.length === 0) return "there are no stages; add a source first";
  const named = (role: DeclaredRole) =>
    entries.filter((e) => e.role === role).map((e) => `"${printable(e.stage.name)}"`);
  const sources = named("source");
  const sinks = named("sink");
  if (sources.length > 1) {
    return `there is one source stage, but ${sources.join(" and ")} are sources`;
  }
  if (sinks.length > 1) return `there is one sink, but ${sinks.join(" and ")} are sinks`;
  const source = entries.findIndex((e) => e.role === "source");
  const sink = entries.findIndex((e) => e.role === "sink");
  if (source >= 0 && sink >= 0 && source > sink) {
    return `the source ${sources[0]} comes after the sink ${sinks[0]}`;
  }
  if (source > 0) return `the source ${sources[0]} is not the first stage`;
  if (sink >= 0 && sink < entries.length - 1) {
    return `the sink ${sinks[0]} is not the last stage: "${
      printable(entries[sink + 1]!.stage.name)
    }" follows it`;
  }
  const first = entries[0]!;
  if (first.needsInput && !hasInput) {
    return `there is no source, so "${printable(first.stage.name)}" has no input: begin with ` +
      ".source(…), or give run() initialTasks";
  }
  return undefined;
}

function uniqueNames(names: readonly string[]): string[] {
  const taken = new Set<string>(names);
  const seen = new Set<string>();
  return names.map((name) => {
    let unique = name;
    for (let n = 2; seen.has(unique) || (unique !== name && taken.has(unique)); n++) {
      unique = `${name} ${n}`;
    }
    seen.add(unique);
    return unique;
  });
}

function checkStage(stage: AnyStage): void {
  checkOption("a stage", "name", stage.name, { ...TEXT, required: true });
  const owner = `stage "${printable(stage.name)}"`;
  checkOption(owner, "batchSize", stage.batchSize, WHOLE_FROM_1);
  checkOption(owner, "concurrency", stage.concurrency, WHOLE_FROM_1);
  checkOption(owner, "retry", stage.retry, RETRY);
  checkOption(owner, "resumable", stage.resumable, BOOLEAN);
}
