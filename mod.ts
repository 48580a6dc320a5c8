/**
 * Resumable data pipelines: a run that was interrupted is started again and does only what
 * had not finished.
 *
 * @example
 * ```ts
 * import { pipeline } from "tidemark";
 *
 * const report = await pipeline("squares")
 *   .source([1, 2, 3], { id: String })
 *   .map((n) => n * n)
 *   .sink((n) => console.log(n))
 *   .run();
 * console.log(report.sources.completed); // 3
 * ```
 *
 * @module
 */
import { type PipelineFactory, pipelineOn } from "./core/pipeline.ts";
import { processHost } from "./executors/host.ts";
import { openStore } from "./stores/open_store.ts";
import type { StoreConfig } from "./stores/store_config.ts";

/**
 * Starts a pipeline. Its name is kept in the checkpoint, which belongs to this pipeline alone.
 * @throws {TidemarkError} `PIPELINE_INVALID` for an empty name.
 */
export const pipeline: PipelineFactory = pipelineOn({
  ...processHost,
  openStore: (config, onWarning) => openStore(config as StoreConfig, onWarning),
});

export * from "./core/errors.ts";
export type * from "./core/event.ts";
export type { Fact } from "./core/fact.ts";
export type { StoreWarning } from "./core/host.ts";
export { Ledger, type LedgerChange } from "./core/ledger.ts";
export {
  type BatchContext,
  composite,
  type EmptyPipeline,
  type Pipeline,
  type PipelineFactory,
  type Runnable,
  type StageObject,
  type StageOptions,
  type TaskContext,
} from "./core/pipeline.ts";
export {
  type CheckpointRecord,
  RECORD_STATES,
  type RecordState,
  type Standing,
} from "./core/record.ts";
export { decodeRecord, encodeRecord, type RecordFault } from "./core/record_codec.ts";
export { RunError } from "./core/run.ts";
export type { RunOptions } from "./core/run_options.ts";
export type { SourceInput, SourceOptions } from "./core/source_input.ts";
export type * from "./core/stage.ts";
export type * from "./core/store.ts";
export {
  EmptyTask,
  failed,
  FailedTask,
  NoneTask,
  SentinelTask,
  type SourceRef,
  type Task,
} from "./core/task.ts";
export { Union } from "./core/union.ts";
export { type FileGroup, files, type FilesOptions, type FileVersion } from "./io/files.ts";
export { jsonLines, type JsonLinesOptions } from "./io/json_lines.ts";
export { jsonLinesSink, type JsonLinesSinkOptions } from "./io/json_lines_sink.ts";
export { type Line, readLines, type ReadLinesOptions } from "./io/read_lines.ts";
export { readText, type ReadTextOptions, readTexts, type TextFile } from "./io/read_text.ts";
export type { ReaderContext } from "./io/readable_file.ts";
export { openStore };
export { SQLITE_DRIVERS, type SqliteDriverName } from "./stores/sqlite/driver_name.ts";
export {
  type LmdbStoreConfig,
  type MemoryStoreConfig,
  type NamedStoreConfig,
  type SqliteStoreConfig,
  STORE_NAMES,
  type StoreConfig,
  type StoreName,
} from "./stores/store_config.ts";
