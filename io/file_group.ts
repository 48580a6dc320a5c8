import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import type { Awaitable } from "../core/stage.ts";

/** One source of `files()`: a file, or several that belong together. */
export interface FileGroup {
  /** Absolute paths, in the order of `names`. */
  readonly paths: readonly string[];
  /** Paths relative to the source's directory, with `/` on every platform, sorted. */
  readonly names: readonly string[];
  /** The content id of the source. */
  readonly id: string;
  /** The version of the files' content; undefined when versions are off. */
  readonly version: string | undefined;
}

/** How the version of a file is found: its path in, a text that changes with the content out. */
export type FileVersion = "stat" | "none" | ((path: string) => Awaitable<string>);

/** A digest of texts that no other list of texts shares: 128 bits in hexadecimal. */
export function digestOf(texts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(texts)).digest("hex").slice(0, 32);
}

/** The versions of the files, in their order; undefined when versions are off. */
export async function versionsOf(
  paths: readonly string[],
  version: FileVersion,
): Promise<readonly string[] | undefined> {
  if (version === "none") return undefined;
  return await Promise.all(
    paths.map(async (path) => version === "stat" ? await sizeAndTime(path) : await version(path)),
  );
}

async function sizeAndTime(path: string): Promise<string> {
  try {
    const { size, mtimeMs } = await stat(path);
    // Whole milliseconds: not every runtime reports finer ones, and a checkpoint serves both.
    return `${size}-${Math.trunc(mtimeMs)}`;
  } catch {
    // The file went away since it was listed. Reading it will fail, and only its source.
    return "missing";
  }
}
