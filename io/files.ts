/**
 * Files as the sources of a pipeline.
 * @module
 */

import { resolve } from "node:path";
import { printable, TidemarkError } from "../core/errors.ts";
import {
  BOOLEAN,
  checkOptions,
  either,
  FUNCTION,
  oneOf,
  type OptionKinds,
  TEXT,
  WHOLE_FROM_1,
} from "../core/option_check.ts";
import type { Stage, StageContext } from "../core/stage.ts";
import type { Task } from "../core/task.ts";
import type { FileGroup, FileVersion } from "./file_group.ts";
import { digestOf, versionsOf } from "./file_group.ts";
import { directoryOf, listFiles } from "./file_listing.ts";
import { PATH, pathOf } from "./path_option.ts";

export type { FileGroup, FileVersion } from "./file_group.ts";

/** Options of {@link files}. */
export interface FilesOptions {
  /** The stage's name. @default "files" */
  readonly name?: string;
  /**
   * The directory that patterns and names are relative to. Ids are made of the relative names,
   * so a corpus that moves as a whole keeps its ids when this moves with it.
   * @default the process's working directory when the run starts
   */
  readonly cwd?: string | URL;
  /** Patterns of files to leave out. A file whose exact path was asked for stays. @default [] */
  readonly ignore?: string | readonly string[];
  /** Match files and directories whose name starts with a dot. @default false */
  readonly dot?: boolean;
  /** Follow symbolic links to directories and files. @default true */
  readonly followSymbolicLinks?: boolean;
  /**
   * How many files make a source, in the order of the listing. An integer of at least 1. Above
   * 1, a file that is added or removed moves every later file to another group, which is then
   * another source and runs again: use `groupBy` when the listing can change.
   * @default 1
   */
  readonly groupSize?: number;
  /** Files whose relative names give the same key make a source. Excludes `groupSize`. */
  readonly groupBy?: (name: string) => string;
  /**
   * The content id of a source. `"hash"`: a digest of its sorted relative names. `"name"`: for
   * people, the relative name of its only file, or the key that `groupBy` gave.
   * @default "hash"
   */
  readonly id?: "hash" | "name";
  /**
   * What tells that a file changed, so that its source runs again. `"stat"`: its size and
   * modification time; `"none"`: nothing; a function: its result for the absolute path, for
   * example a hash of the content.
   * @default "stat"
   */
  readonly version?: FileVersion;
  /** Take no files at all for an empty input instead of an error. @default false */
  readonly allowEmpty?: boolean;
}

/**
 * A source stage that emits the files matching glob patterns, sorted by name, each a source of
 * its own unless they are grouped.
 *
 * Patterns use `/`; a leading `!` leaves files out; a directory stands for all files below it.
 * A pattern, or the start of one, that exists under its literal name is taken literally, so
 * `a[1].txt` finds the file of that name.
 *
 * @example
 * ```ts
 * import { files, jsonLines, pipeline } from "tidemark";
 *
 * const p = pipeline("count")
 *   .source(files("data/*.jsonl.gz", { allowEmpty: true }))
 *   .flatMap(jsonLines<{ text: string }>())
 *   .sink((record) => void record.text.length);
 * await p.run();
 * ```
 *
 * @throws {TidemarkError} `OPTION_INVALID` for an option of the wrong shape or range. In the
 * run: `INPUT_EMPTY` when a pattern without globs names nothing or no pattern matches
 * anything, `INPUT_UNREADABLE` when a directory cannot be read.
 */
export function files(
  patterns: string | readonly string[],
  options: FilesOptions = {},
): Stage<undefined, FileGroup> {
  return new FileSource(Array.isArray(patterns) ? [...patterns] : [patterns], options);
}

const FILES_OPTIONS: OptionKinds<FilesOptions> = {
  name: TEXT,
  cwd: PATH,
  ignore: {
    needs: "a text or a list of texts",
    fits: (v) => (Array.isArray(v) ? v : [v]).every((pattern) => typeof pattern === "string"),
  },
  dot: BOOLEAN,
  followSymbolicLinks: BOOLEAN,
  groupSize: WHOLE_FROM_1,
  groupBy: FUNCTION,
  id: oneOf("hash", "name"),
  version: either(oneOf("stat", "none"), FUNCTION),
  allowEmpty: BOOLEAN,
};

class FileSource implements Stage<undefined, FileGroup> {
  readonly name: string;
  readonly output = "many" as const;
  readonly #patterns: readonly string[];
  readonly #options: FilesOptions;

  constructor(patterns: readonly string[], options: FilesOptions) {
    checkPatterns(patterns);
    checkOptions("files()", options, FILES_OPTIONS);
    checkGroups(options);
    this.name = options.name ?? "files";
    this.#patterns = patterns;
    this.#options = { ...options };
  }

  async *process(_task: Task<undefined>, context: StageContext): AsyncGenerator<FileGroup> {
    const directory = this.#directory();
    const names = await this.#list(directory, context);
    const groups = this.#group(names);
    context.expectSources(groups.length);
    // Looking at files one by one is slow on a network; all at once would hold all of them.
    const ahead = 64;
    for (let start = 0; start < groups.length; start += ahead) {
      yield* await Promise.all(
        groups.slice(start, start + ahead).map((group) => this.#fileGroup(directory, group)),
      );
    }
  }

  sourceId(group: FileGroup): string {
    return group.id;
  }

  sourceVersion(group: FileGroup): string | undefined {
    return group.version;
  }

  sourceLabel({ names }: FileGroup): string {
    return names.length === 1 ? names[0]! : `${names[0]!} and ${names.length - 1} more`;
  }

  #directory(): string {
    const { cwd } = this.#options;
    return directoryOf(cwd === undefined ? undefined : pathOf(cwd));
  }

  async #list(directory: string, context: StageContext): Promise<readonly string[]> {
    const { ignore = [], dot = false, followSymbolicLinks = true, allowEmpty = false } =
      this.#options;
    const { names, unmatched, dangling } = await listFiles({
      patterns: this.#patterns,
      ignore: typeof ignore === "string" ? [ignore] : ignore,
      directory,
      dot,
      followSymbolicLinks,
    });
    if (dangling.length > 0) {
      context.warn(
        `${dangling.length} symbolic link(s) lead nowhere and were left out, first ${
          printable(dangling[0]!)
        }`,
      );
    }
    if (allowEmpty) return names;
    if (names.length === 0) throw nothingMatches(this.#patterns, directory);
    for (const pattern of unmatched) {
      if (!/[*?[\]{}()|]/.test(pattern)) throw nothingMatches([pattern], directory);
      context.warn(`nothing matches "${printable(pattern)}" in ${printable(directory)}`);
    }
    return names;
  }

  #group(names: readonly string[]): NamedGroup[] {
    const { groupBy, groupSize = 1 } = this.#options;
    if (groupBy !== undefined) {
      return [...Map.groupBy(names, groupBy)]
        .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
        .map(([label, members]) => ({ label, members }));
    }
    const groups: NamedGroup[] = [];
    for (let start = 0; start < names.length; start += groupSize) {
      const members = names.slice(start, start + groupSize);
      groups.push({ label: members[0]!, members });
    }
    return groups;
  }

  async #fileGroup(directory: string, { label, members }: NamedGroup): Promise<FileGroup> {
    const { id = "hash", version = "stat", groupBy } = this.#options;
    const paths = members.map((name) => resolve(directory, name));
    const versions = await versionsOf(paths, version);
    // A key says nothing about which files are in its group, so the version has to.
    const keyed = id === "name" && groupBy !== undefined;
    return {
      paths,
      names: members,
      id: id === "name" ? label : digestOf(members),
      version: keyed
        ? digestOf([...members, ...(versions ?? [])])
        : versions === undefined || versions.length === 1
        ? versions?.[0]
        : digestOf(versions),
    };
  }
}

interface NamedGroup {
  readonly label: string;
  readonly members: readonly string[];
}

function nothingMatches(patterns: readonly string[], directory: string): TidemarkError {
  const shown = patterns.slice(0, 3).map((pattern) => `"${printable(pattern)}"`).join(", ");
  const more = patterns.length > 3 ? ` and ${patterns.length - 3} more` : "";
  return new TidemarkError(
    "INPUT_EMPTY",
    `no file matches ${shown}${more} in ${
      printable(directory)
    }; check the pattern and the directory, ` +
      "or set allowEmpty when that is no mistake",
    { subject: patterns[0]! },
  );
}

function checkPatterns(patterns: readonly unknown[]): void {
  const wrong = patterns.find((pattern) =>
    typeof pattern !== "string" || pattern === "" || pattern.includes("\0")
  );
  if (patterns.length === 0 || wrong !== undefined) {
    throw new TidemarkError(
      "OPTION_INVALID",
      "files() takes one pattern or several, each a text that is not empty and has no NUL",
      { subject: "patterns" },
    );
  }
}

function checkGroups({ groupSize, groupBy, id }: FilesOptions): void {
  if (groupSize !== undefined && groupBy !== undefined) {
    throw invalid("groupBy", "cannot be combined with groupSize; give one of them");
  }
  if (id === "name" && groupSize !== undefined && groupSize > 1) {
    throw invalid(
      "id",
      '"name" needs one file per source or groupBy, because a group by size has no name',
    );
  }
}

function invalid(option: string, what: string): TidemarkError {
  return new TidemarkError("OPTION_INVALID", `files(): ${option} ${what}`, {
    subject: option,
  });
}
