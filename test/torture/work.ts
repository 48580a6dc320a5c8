import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { jsonLinesSink, pipeline, type Runnable } from "../../mod.ts";

/** How the victims work: the same in every run of one torture. */
export interface Work {
  readonly sources: number;
  readonly maxOpenSources: number;
  readonly directory: string;
  readonly checkpoint: string;
}

export const TRACE = "trace.log";
export const OUTPUT = "output";

/** How many items a source has: from none to many. */
export function itemsOf(source: number): number {
  return (source * 7919) % 23;
}

/** The lines that a source's output must have, byte for byte. */
export function expectedOutput(source: number): string {
  let text = "";
  for (let i = 0; i < itemsOf(source); i++) {
    if (isKept(source, i)) text += `${JSON.stringify(lineOf(source, i))}\n`;
  }
  return text;
}

export function sourceId(source: number): string {
  return `s${source}`;
}

/** The pipeline that is killed: fans out, filters, batches, waits, and writes files. */
export async function workPipeline(work: Work): Promise<Runnable> {
  const output = join(work.directory, OUTPUT);
  await mkdir(output, { recursive: true });
  return pipeline("torture")
    .source(() => Array.from({ length: work.sources }, (_, i) => i), { id: sourceId })
    .flatMap((source) => Array.from({ length: itemsOf(source) }, (_, item) => ({ source, item })))
    .filter(({ source, item }) => isKept(source, item))
    .map(async (task) => {
      // Calls end in another order than they began.
      await new Promise((resolve) => setTimeout(resolve, (task.source + task.item) % 3));
      return task;
    }, { concurrency: 8 })
    .batch(4, (tasks) => tasks.map(({ source, item }) => lineOf(source, item)))
    .sink(jsonLinesSink(output));
}

function isKept(source: number, item: number): boolean {
  return (source + item) % 5 !== 0;
}

function lineOf(source: number, item: number): { source: number; item: number; text: string } {
  return { source, item, text: `${source}:${item} `.repeat(1 + ((source + item) % 40)) };
}
