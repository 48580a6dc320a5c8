/**
 * JSON Lines files as the sink of a pipeline.
 * @module
 */

import { resolve } from "node:path";
import { messageOf, printable, TidemarkError } from "../core/errors.ts";
import {
  checkOption,
  checkOptions,
  FUNCTION,
  oneOf,
  type OptionKinds,
  TEXT,
} from "../core/option_check.ts";
import { RETRY } from "../core/retry.ts";
import type { RetryOptions, Stage } from "../core/stage.ts";
import { failed, type FailedTask, type SourceRef, type Task } from "../core/task.ts";
import { checkOutputName, outputName } from "./output_name.ts";
import { PATH, pathOf } from "./path_option.ts";
import { createDirectory, removeAbandoned, TemporaryFile } from "./temporary_file.ts";

/** Options of {@link jsonLinesSink}. */
export interface JsonLinesSinkOptions {
  /** The stage's name. @default "jsonLinesSink" */
  readonly stage?: string;
  /**
   * The name of a source's file, to which `.jsonl` is appended: one plain file name of up to 200
   * bytes, the same for a source in every run and for no two sources, also where case does not
   * count.
   * @default the source's id, or what is readable of it and a digest
   */
  readonly name?: (source: SourceRef) => string;
  /**
   * `"lineage"`: a source's lines are in the order of its input, so that a rerun gives the same
   * bytes; they are held in memory until the source is done. `"arrival"`: they are written as
   * they come, for sources too big for that.
   * @default "lineage"
   */
  readonly order?: "lineage" | "arrival";
  /** When a file that could not be written is tried again. @default no retries */
  readonly retry?: RetryOptions;
}

/**
 * A sink that writes one JSON Lines file per source. A source's file appears when the source is
 * done, whole and on disk, in place of the one that an earlier run left, so a directory never
 * holds a torn or repeated line. A source without lines gets an empty file, which shows that it
 * is done and replaces what an earlier version of it left.
 *
 * A value that JSON cannot hold (a BigInt, a cycle, a function) fails its slot; what
 * `JSON.stringify` changes silently (`NaN`, nested `undefined`) is changed. Several processes
 * may write to one directory.
 *
 * @example
 * ```ts ignore
 * import { files, jsonLinesSink, pipeline, readText } from "tidemark";
 *
 * await pipeline("copy")
 *   .source(files("texts/*.txt", { id: "name" }))
 *   .map(readText())
 *   .sink(jsonLinesSink("out"))
 *   .run({ checkpoint: "./ckpt" });
 * ```
 *
 * @throws {TidemarkError} `OPTION_INVALID`; in the run `OUTPUT_UNWRITABLE`, at the start when the
 * directory cannot be written, later for the source whose file cannot.
 */
export function jsonLinesSink(
  directory: string | URL,
  options: JsonLinesSinkOptions = {},
): Stage<unknown, undefined> {
  return new JsonLinesSink(directory, options);
}

const SINK_OPTIONS: OptionKinds<JsonLinesSinkOptions> = {
  stage: TEXT,
  name: FUNCTION,
  order: oneOf("lineage", "arrival"),
  retry: RETRY,
};

class JsonLinesSink implements Stage<unknown, undefined> {
  readonly name: string;
  readonly retry?: RetryOptions;
  readonly #given: string | URL;
  readonly #options: JsonLinesSinkOptions;
  /** Absolute; known in a run only, because a relative one depends on where that starts. */
  #directory = "";
  #inUse = false;
  #open = new Map<string, SourceLines>();
  /** Names that were chosen by the caller, so that no source replaces another's file. */
  #owners = new Map<string, string>();

  constructor(directory: string | URL, options: JsonLinesSinkOptions) {
    checkOption("jsonLinesSink()", "directory", directory, { ...PATH, required: true });
    checkOptions("jsonLinesSink()", options, SINK_OPTIONS);
    this.name = options.stage ?? "jsonLinesSink";
    if (options.retry !== undefined) this.retry = options.retry;
    this.#given = directory;
    this.#options = { ...options };
  }

  async setup(): Promise<void> {
    if (this.#inUse) {
      throw new TidemarkError(
        "PIPELINE_INVALID",
        `stage "${printable(this.name)}" is in use by another run, whose lines it holds; ` +
          "call jsonLinesSink() once for each run",
        { subject: this.name },
      );
    }
    this.#directory = resolve(pathOf(this.#given));
    this.#open = new Map();
    this.#owners = new Map();
    try {
      await createDirectory(this.#directory);
      await removeAbandoned(this.#directory);
      // Permission bits do not tell whether a directory can be written; writing does.
      await using _probe = await TemporaryFile.open(this.#directory);
    } catch (error) {
      throw new TidemarkError(
        "OUTPUT_UNWRITABLE",
        `the output directory ${printable(this.#directory)} cannot be written (${
          messageOf(error)
        }); ` +
          "change its permissions or choose another directory",
        { cause: error, subject: this.#directory },
      );
    }
    this.#inUse = true;
  }

  process(task: Task<unknown>): FailedTask | undefined | Promise<undefined> {
    const { source, path, payload } = task;
    if (source === undefined) {
      return failed(
        "a task that belongs to no source has no file; give batches one result per input",
      );
    }
    let line: string | undefined;
    try {
      line = JSON.stringify(payload);
    } catch (error) {
      return failed(`the value cannot be written as JSON: ${printable(messageOf(error))}`);
    }
    if (line === undefined) {
      return failed(`the value cannot be written as JSON: it is ${typeof payload}`);
    }
    return this.#linesOf(source).add(`${line}\n`, path);
  }

  async commitSource(source: SourceRef): Promise<void> {
    const lines = this.#linesOf(source);
    try {
      await lines.commit();
    } catch (error) {
      throw new TidemarkError(
        "OUTPUT_UNWRITABLE",
        `${printable(lines.name)} cannot be written to ${printable(this.#directory)} ` +
          `(${messageOf(error)}); mend that and run again`,
        { cause: error, subject: lines.name },
      );
    }
    this.#open.delete(source.id);
  }

  async discardSource(source: SourceRef): Promise<void> {
    const lines = this.#open.get(source.id);
    this.#open.delete(source.id);
    await lines?.discard();
  }

  async teardown(): Promise<void> {
    this.#inUse = false;
    const left = [...this.#open.values()];
    this.#open.clear();
    await Promise.all(left.map(async (lines) => await lines.discard()));
  }

  #linesOf(source: SourceRef): SourceLines {
    let lines = this.#open.get(source.id);
    if (lines === undefined) {
      const name = `${this.#nameOf(source)}.jsonl`;
      lines = this.#options.order === "arrival"
        ? new StreamedLines(this.#directory, name)
        : new HeldLines(this.#directory, name);
      this.#open.set(source.id, lines);
    }
    return lines;
  }

  #nameOf(source: SourceRef): string {
    if (this.#options.name === undefined) return outputName(source.id);
    const name = checkOutputName(this.#options.name(source), source.id);
    const folded = name.normalize("NFC").toLowerCase();
    const owner = this.#owners.get(folded);
    if (owner !== undefined && owner !== source.id) {
      throw new TidemarkError(
        "OPTION_INVALID",
        `the sources "${printable(owner)}" and "${printable(source.id)}" have the same file name ` +
          `"${printable(name)}"; give every source a name of its own`,
        { subject: source.id },
      );
    }
    this.#owners.set(folded, source.id);
    return name;
  }
}

/** The lines of one source until they are a file. */
interface SourceLines {
  readonly name: string;
  /** Takes a line. Gives a promise only where there is something to wait for. */
  add(line: string, path: readonly number[]): undefined | Promise<undefined>;
  commit(): Promise<void>;
  discard(): void | Promise<void>;
}

class HeldLines implements SourceLines {
  readonly name: string;
  readonly #directory: string;
  readonly #lines: { readonly line: string; readonly path: readonly number[] }[] = [];

  constructor(directory: string, name: string) {
    this.#directory = directory;
    this.name = name;
  }

  add(line: string, path: readonly number[]): undefined {
    this.#lines.push({ line, path });
  }

  async commit(): Promise<void> {
    this.#lines.sort((a, b) => comparePaths(a.path, b.path));
    await using file = await TemporaryFile.open(this.#directory);
    for (const { line } of this.#lines) await file.write(line);
    await file.replace(this.name);
  }

  discard(): void {}
}

class StreamedLines implements SourceLines {
  readonly name: string;
  readonly #directory: string;
  #file: Promise<TemporaryFile> | undefined;

  constructor(directory: string, name: string) {
    this.#directory = directory;
    this.name = name;
  }

  async add(line: string): Promise<undefined> {
    await (await this.#opened()).write(line);
  }

  async commit(): Promise<void> {
    await (await this.#opened()).replace(this.name);
  }

  async discard(): Promise<void> {
    const file = await this.#file?.catch(() => undefined);
    await file?.[Symbol.asyncDispose]();
  }

  #opened(): Promise<TemporaryFile> {
    this.#file ??= TemporaryFile.open(this.#directory).catch((error: unknown) => {
      this.#file = undefined;
      throw error;
    });
    return this.#file;
  }
}

function comparePaths(a: readonly number[], b: readonly number[]): number {
  const shared = Math.min(a.length, b.length);
  for (let i = 0; i < shared; i++) {
    if (a[i] !== b[i]) return a[i]! - b[i]!;
  }
  return a.length - b.length;
}
