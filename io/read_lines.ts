/**
 * Files read line by line.
 * @module
 */

import { Buffer } from "node:buffer";
import { printable } from "../core/errors.ts";
import { checkOptions, oneOf, type OptionKinds, WHOLE_FROM_1 } from "../core/option_check.ts";
import type { Slot } from "../core/stage.ts";
import { failed } from "../core/task.ts";
import type { FileGroup } from "./file_group.ts";
import { bytesOf, type ReaderContext } from "./readable_file.ts";

/** A line of a file, without its end. */
export interface Line {
  /** The file's path relative to the source's directory, with `/`. */
  readonly name: string;
  /** The line's number in its file, from 1; lines that were skipped count. */
  readonly number: number;
  /** Its content. */
  readonly text: string;
}

/** Options of {@link readLines}. */
export interface ReadLinesOptions {
  /** The longest line that is read, in bytes; a longer one fails. @default 67108864 */
  readonly maxLineBytes?: number;
  /** What becomes of a line that is not UTF-8. @default "fail" */
  readonly invalid?: "fail" | "replace";
}

/** What the options of {@link readLines} have to be. */
export const READ_LINES_OPTIONS: OptionKinds<ReadLinesOptions> = {
  maxLineBytes: WHOLE_FROM_1,
  invalid: oneOf("fail", "replace"),
};

const LONGEST = 1 << 26;
const NEWLINE = 0x0a;
const RETURN = 0x0d;

/**
 * For `.flatMap`: streams the lines of a source's files, UTF-8, ended by `\n` or `\r\n`. Empty
 * lines and a byte order mark are left out; a name that ends with `.gz` is decompressed.
 * Memory holds one line and one chunk. A broken line fails its slot only; a file that cannot be
 * read throws.
 */
export function readLines(
  options: ReadLinesOptions = {},
): (group: FileGroup, context?: ReaderContext) => AsyncGenerator<Slot<Line>> {
  checkOptions("readLines()", options, READ_LINES_OPTIONS);
  const limit = options.maxLineBytes ?? LONGEST;
  const fatal = options.invalid !== "replace";
  return async function* (group, context) {
    for (const [at, path] of group.paths.entries()) {
      const name = group.names[at]!;
      const decoder = new TextDecoder("utf-8", { fatal });
      let number = 0;
      for await (const bytes of splitLines(bytesOf(path, name, context), limit)) {
        number++;
        const where = `${printable(name)}:${number}`;
        if (bytes === undefined) {
          yield failed(`${where}: longer than ${limit} bytes`);
          continue;
        }
        let text: string;
        try {
          text = decoder.decode(bytes);
        } catch {
          yield failed(`${where}: not valid UTF-8`);
          continue;
        }
        if (text !== "") yield { name, number, text };
      }
    }
  };
}

/** The lines of a stream of bytes, without their ends; undefined for one over the limit. */
async function* splitLines(
  chunks: AsyncIterable<Uint8Array>,
  limit: number,
): AsyncGenerator<Uint8Array | undefined> {
  let held: Uint8Array[] = [];
  let size = 0;
  const take = (last: Uint8Array): Uint8Array | undefined => {
    const total = size + last.length;
    const line = total > limit
      ? undefined
      : held.length === 0
      ? last
      : Buffer.concat([...held, last]);
    held = [];
    size = 0;
    return line?.at(-1) === RETURN ? line.subarray(0, -1) : line;
  };
  for await (const chunk of chunks) {
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end !== -1; end = chunk.indexOf(NEWLINE, start)) {
      yield take(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start === chunk.length) continue;
    size += chunk.length - start;
    // Of a line over the limit only its length is kept.
    if (size > limit) held = [];
    else held.push(chunk.subarray(start));
  }
  if (size > 0) yield take(new Uint8Array());
}
