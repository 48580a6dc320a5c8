/**
 * Files of one JSON value per line.
 * @module
 */

import { messageOf, printable } from "../core/errors.ts";
import { checkOptions, FUNCTION, type OptionKinds } from "../core/option_check.ts";
import type { Slot } from "../core/stage.ts";
import { failed } from "../core/task.ts";
import type { FileGroup } from "./file_group.ts";
import { READ_LINES_OPTIONS, readLines, type ReadLinesOptions } from "./read_lines.ts";
import type { ReaderContext } from "./readable_file.ts";

/** Options of {@link jsonLines}. */
export interface JsonLinesOptions<T> extends ReadLinesOptions {
  /** Checks a value and gives it its type. What it throws fails the line. */
  readonly parse?: (value: unknown) => T;
}

const JSON_LINES_OPTIONS: OptionKinds<JsonLinesOptions<unknown>> = {
  ...READ_LINES_OPTIONS,
  parse: FUNCTION,
};

/**
 * For `.flatMap`: streams the values of a source's JSON Lines files, plain or `.gz`. Blank lines
 * are skipped, a line that holds `null` is filtered, and a broken line fails its slot with the
 * file's name and the line's number. Without `parse`, `T` is believed and not checked.
 *
 * @example
 * ```ts
 * import { files, jsonLines, pipeline } from "tidemark";
 *
 * const p = pipeline("names")
 *   .source(files("people/*.jsonl", { allowEmpty: true }))
 *   .flatMap(jsonLines<{ name: string }>())
 *   .sink((person) => void person.name);
 * await p.run();
 * ```
 */
export function jsonLines<T = unknown>(
  options: JsonLinesOptions<T> = {},
): (group: FileGroup, context?: ReaderContext) => AsyncGenerator<Slot<T>> {
  checkOptions("jsonLines()", options, JSON_LINES_OPTIONS);
  const { parse, ...rest } = options;
  const lines = readLines(rest);
  return async function* (group, context) {
    for await (const line of lines(group, context)) {
      if (line === null || !("text" in line)) {
        yield line;
        continue;
      }
      if (line.text.trim() === "") continue;
      let value: Slot<T>;
      try {
        const raw: unknown = JSON.parse(line.text);
        value = parse === undefined ? raw as T : parse(raw);
      } catch (error) {
        value = failed(`${printable(line.name)}:${line.number}: ${printable(messageOf(error))}`);
      }
      yield value;
    }
  };
}
