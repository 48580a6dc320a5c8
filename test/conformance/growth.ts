import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";

/** How many bytes the files below a directory hold. A file that goes meanwhile does not count. */
export function bytesBelow(directory: string): number {
  let bytes = 0;
  for (const name of namesBelow(directory)) {
    bytes += statSync(join(directory, name), { throwIfNoEntry: false })?.size ?? 0;
  }
  return bytes;
}

function namesBelow(directory: string): string[] {
  try {
    return readdirSync(directory, { encoding: "utf8", recursive: true });
  } catch {
    return [];
  }
}

/**
 * Resolves as soon as the files below a directory hold more than so many bytes, in the middle
 * of whatever writes them; or when there is no more to wait for.
 */
export async function grown(
  directory: string,
  bytes: number,
  isOver: () => boolean,
): Promise<void> {
  // No timer and no watcher is as quick as a write is short.
  while (bytesBelow(directory) <= bytes && !isOver()) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
