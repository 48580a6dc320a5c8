import type { Dirent, Stats } from "node:fs";
import { readdir, realpath, stat } from "node:fs";
import { stat as statFile } from "node:fs/promises";
import { isAbsolute, join, relative, resolve, sep } from "node:path";
import process from "node:process";
import { messageOf, printable, TidemarkError } from "../core/errors.ts";

/** What {@link listFiles} looks for. */
export interface ListingRequest {
  readonly patterns: readonly string[];
  readonly ignore: readonly string[];
  /** Absolute. */
  readonly directory: string;
  readonly dot: boolean;
  readonly followSymbolicLinks: boolean;
}

/** What {@link listFiles} found. */
export interface Listing {
  /** Relative to the directory, with `/`, sorted by code unit, each once. */
  readonly names: readonly string[];
  /** The patterns that matched nothing. */
  readonly unmatched: readonly string[];
  /** Symbolic links that lead nowhere, as they were met. */
  readonly dangling: readonly string[];
}

const SPECIAL = /[*?[\]{}()|\\]|^!/;

/**
 * Lists the files that the patterns match.
 * @throws {TidemarkError} `INPUT_UNREADABLE` when a directory on the way cannot be read.
 */
export async function listFiles(request: ListingRequest): Promise<Listing> {
  const found = new Set<string>();
  const dangling = new Set<string>();
  const unmatched: string[] = [];
  const ignore = [...request.ignore];
  const wanted: { pattern: string; place: Place }[] = [];
  for (const pattern of request.patterns) {
    const place = await locate(pattern, request.directory);
    if (place.rest === pattern && pattern.startsWith("!")) ignore.push(pattern.slice(1));
    else wanted.push({ pattern, place });
  }
  for (const { pattern, place } of wanted) {
    const paths = place.rest === undefined
      ? (place.exists ? [place.base] : [])
      : await crawl(place.base, place.rest, { ...request, ignore }, dangling);
    if (paths.length === 0) unmatched.push(pattern);
    for (const path of paths) found.add(nameOf(path, request.directory));
  }
  const names = [...found].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
  return { names, unmatched, dangling: [...dangling] };
}

interface Place {
  /** Absolute: the part of the pattern that is an ordinary path. */
  readonly base: string;
  /** The part that is a glob; undefined when there is none. */
  readonly rest: string | undefined;
  readonly exists: boolean;
}

/** Splits a pattern where its first glob starts. What exists under its literal name is no glob. */
async function locate(pattern: string, directory: string): Promise<Place> {
  const parts = pattern.split("/");
  let base = isAbsolute(pattern)
    ? resolve(pattern.startsWith("/") ? "/" : `${parts[0]!}/`)
    : directory;
  for (const [at, part] of parts.entries()) {
    if (part === "" || (at === 0 && isAbsolute(pattern))) continue;
    const next = part === ".." ? resolve(base, "..") : join(base, part);
    if (SPECIAL.test(part) && !(await typeOf(next))) {
      return { base, rest: parts.slice(at).join("/"), exists: true };
    }
    base = next;
  }
  const type = await typeOf(base);
  return type === "directory"
    ? { base, rest: "**", exists: true }
    : { base, rest: undefined, exists: type === "file" };
}

async function typeOf(path: string): Promise<"directory" | "file" | undefined> {
  try {
    return (await statFile(path)).isDirectory() ? "directory" : "file";
  } catch (error) {
    if (isAbsence(error)) return undefined;
    throw unreadable(path, error);
  }
}

/** The paths below `base` that match. Names are encoded on their way through the matcher. */
async function crawl(
  base: string,
  pattern: string,
  request: ListingRequest,
  dangling: Set<string>,
): Promise<string[]> {
  // Imported here because the package reads the environment when it is loaded.
  const { escapePath, glob } = await import("tinyglobby");
  const offset = posix(relative(request.directory, base));
  const inside = offset !== ".." && !offset.startsWith("../") && !isAbsolute(offset);
  const cwd = inside ? request.directory : base;
  const anchored = escapePath(encode(posix(request.directory)));
  let failure: { path: string; error: unknown } | undefined;

  const matches = await glob(
    `${inside && offset !== "" ? `${escapePath(encode(offset))}/` : ""}${encodePattern(pattern)}`,
    {
      cwd: encode(cwd),
      dot: request.dot,
      expandDirectories: false,
      followSymbolicLinks: request.followSymbolicLinks,
      ignore: request.ignore.map((each) =>
        inside || each.startsWith("**/") || isAbsolute(each)
          ? encodePattern(each)
          : `${anchored}/${encodePattern(each)}`
      ),
      fs: {
        readdir: ((path: string, options: { withFileTypes: true }, done: ReaddirCallback) => {
          readdir(decode(path), options, (error, entries) => {
            if (error !== null && !isAbsence(error)) {
              failure ??= { path: resolve(decode(path)), error };
            }
            for (const entry of entries ?? []) entry.name = encode(entry.name);
            done(error, entries);
          });
        }) as typeof readdir,
        realpath: ((path: string, done: RealpathCallback) => {
          realpath(decode(path), (error, resolved) => {
            if (error !== null) dangling.add(decode(path));
            done(error, resolved === undefined ? resolved : encode(resolved));
          });
        }) as typeof realpath,
        stat: ((path: string, done: StatCallback) => {
          stat(decode(path), done);
        }) as typeof stat,
      },
    },
  );
  if (failure !== undefined) throw unreadable(failure.path, failure.error);
  return matches.map((match) => resolve(cwd, decode(match)));
}

type ReaddirCallback = (error: NodeJS.ErrnoException | null, entries: Dirent[]) => void;
type StatCallback = (error: NodeJS.ErrnoException | null, stats: Stats) => void;
type RealpathCallback = (error: NodeJS.ErrnoException | null, resolved: string) => void;

// The matcher's `**` stops at line ends, and it takes a backslash in a path for a separator.
// Noncharacters, which no file name has, stand in for them.
const STAND_INS = new Map([
  ["\n", "\u{FDD0}"],
  ["\r", "\u{FDD1}"],
  ["\u2028", "\u{FDD2}"],
  ["\u2029", "\u{FDD3}"],
  ["\\", "\u{FDD4}"],
]);
const ORIGINALS = new Map([...STAND_INS].map(([original, standIn]) => [standIn, original]));
const TO_ENCODE = sep === "\\" ? /[\n\r\u2028\u2029]/g : /[\n\r\u2028\u2029\\]/g;

/** A path as the matcher is shown it. */
function encode(path: string): string {
  return path.replace(TO_ENCODE, (c) => STAND_INS.get(c)!);
}

/** A pattern as the matcher is shown it: there a backslash escapes, so two of them are one. */
function encodePattern(pattern: string): string {
  return pattern.replace(/\\\\|[\n\r\u2028\u2029]/g, (c) => STAND_INS.get(c[0]!)!);
}

function decode(path: string): string {
  return path.replace(/[\u{FDD0}-\u{FDD4}]/gu, (c) => ORIGINALS.get(c)!);
}

function nameOf(path: string, directory: string): string {
  return posix(relative(directory, path));
}

function posix(path: string): string {
  return sep === "/" ? path : path.replaceAll(sep, "/");
}

function isAbsence(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR";
}

function unreadable(path: string, cause: unknown): TidemarkError {
  return new TidemarkError(
    "INPUT_UNREADABLE",
    `${printable(path)} cannot be read (${
      messageOf(cause)
    }); change its permissions, or leave it out of the patterns`,
    { cause, subject: path },
  );
}

/** The directory that names are relative to, as an absolute path. */
export function directoryOf(path: string | undefined): string {
  return path === undefined ? process.cwd() : resolve(path);
}
