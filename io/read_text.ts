/**
 * Whole files as text.
 * @module
 */

import { printable } from "../core/errors.ts";
import { checkOptions, oneOf, type OptionKinds, TEXT } from "../core/option_check.ts";
import type { Slot } from "../core/stage.ts";
import { failed } from "../core/task.ts";
import type { FileGroup } from "./file_group.ts";
import { bytesOf, type ReaderContext } from "./readable_file.ts";

/** A file that was read. */
export interface TextFile {
  /** Its path relative to the source's directory, with `/`. */
  readonly name: string;
  /** Its content. */
  readonly text: string;
}

/** Options of {@link readText} and {@link readTexts}. */
export interface ReadTextOptions {
  /** A label of the Encoding Standard, such as `"windows-1252"`. @default "utf-8" */
  readonly encoding?: string;
  /** What becomes of a file with bytes that are not of its encoding. @default "fail" */
  readonly invalid?: "fail" | "replace";
}

const READ_TEXT_OPTIONS: OptionKinds<ReadTextOptions> = {
  encoding: TEXT,
  invalid: oneOf("fail", "replace"),
};

/**
 * For `.map`: reads the file of a source as text, without a byte order mark. A name that ends
 * with `.gz` is decompressed. The whole file is held in memory.
 *
 * @example
 * ```ts
 * import { files, pipeline, readText } from "tidemark";
 *
 * const p = pipeline("words")
 *   .source(files("notes/*.txt", { allowEmpty: true }))
 *   .map(readText())
 *   .map((file) => ({ name: file.name, words: file.text.split(/\s+/).length }))
 *   .sink((row) => void row);
 * await p.run();
 * ```
 *
 * @throws {TidemarkError} `OPTION_INVALID`.
 * @throws {RangeError} for an unknown encoding. In the run a source of several files fails, and
 * so does one whose file cannot be read or decoded.
 */
export function readText(
  options: ReadTextOptions = {},
): (group: FileGroup, context?: ReaderContext) => Promise<Slot<TextFile>> {
  const read = reader("readText()", options);
  return async (group, context) => {
    if (group.paths.length !== 1) {
      return failed(
        `a source of ${group.paths.length} files is not one text; use .flatMap(readTexts()) instead of .map(readText())`,
      );
    }
    return await read(group.paths[0]!, group.names[0]!, context);
  };
}

/** For `.flatMap`: like {@link readText}, for sources of any number of files, one after another. */
export function readTexts(
  options: ReadTextOptions = {},
): (group: FileGroup, context?: ReaderContext) => AsyncGenerator<Slot<TextFile>> {
  const read = reader("readTexts()", options);
  return async function* (group, context) {
    for (const [at, path] of group.paths.entries()) {
      yield await read(path, group.names[at]!, context);
    }
  };
}

function reader(
  owner: string,
  options: ReadTextOptions,
): (path: string, name: string, context?: ReaderContext) => Promise<Slot<TextFile>> {
  checkOptions(owner, options, READ_TEXT_OPTIONS);
  const { encoding = "utf-8", invalid = "fail" } = options;
  // Throws for an unknown label where the pipeline is built, not file by file.
  const { encoding: known } = new TextDecoder(encoding);
  return async (path, name, context) => {
    const decoder = new TextDecoder(encoding, { fatal: invalid === "fail" });
    const parts: string[] = [];
    for await (const chunk of bytesOf(path, name, context)) {
      try {
        parts.push(decoder.decode(chunk, { stream: true }));
      } catch {
        return notEncoded(name, known);
      }
    }
    try {
      parts.push(decoder.decode());
    } catch {
      return notEncoded(name, known);
    }
    return { name, text: parts.join("") };
  };
}

function notEncoded(name: string, encoding: string): Slot<never> {
  return failed(
    `${printable(name)}: not valid ${encoding}; name its encoding, or set invalid to "replace"`,
  );
}
