import { join } from "node:path";
import { jsonLinesSink, pipeline, type RunEvent, type RunReport } from "../../mod.ts";

/** What one run is to do. */
export interface Work {
  readonly sources: number;
  /** Everything is below it. */
  readonly directory: string;
  readonly store: string;
}

/** Where the outputs are. */
export function outputOf({ directory }: Work): string {
  return join(directory, "made", "output");
}

/** Where the checkpoint is. */
export function checkpointOf({ directory, store }: Work): {
  readonly store: string;
  readonly path: string;
  readonly driver?: string;
} {
  const path = join(directory, "kept", "checkpoint");
  return store === "node:sqlite" ? { store: "sqlite", path, driver: store } : { store, path };
}

/** The id of a source. */
export function sourceId(source: number): string {
  return `s${source}`;
}

function lineOf(source: number, item: number): { readonly text: string } {
  return { text: `${source}:${item} `.repeat(1 + ((source * 31 + item * 7) % 90)) };
}

/** The lines that a source's output must have, byte for byte. */
export function expectedOutput(source: number): string {
  return Array.from(
    { length: source % 5 },
    (_, item) => `${JSON.stringify(lineOf(source, item))}\n`,
  ).join("");
}

/** Runs the work: each source fans out into lines of its own file. */
export function runWork(work: Work, onEvent?: (event: RunEvent) => void): Promise<RunReport> {
  return pipeline("power loss")
    .source(() => Array.from({ length: work.sources }, (_, i) => i), { id: sourceId })
    .flatMap((source) => Array.from({ length: source % 5 }, (_, item) => ({ source, item })))
    .map(async ({ source, item }) => lineOf(source, item))
    .sink(jsonLinesSink(outputOf(work)))
    .run({
      checkpoint: checkpointOf(work),
      maxOpenSources: 6,
      ...(onEvent === undefined ? {} : { onEvent }),
    });
}
