import { mkdir } from "node:fs/promises";
import { jsonLinesSink, pipeline, type Runnable } from "../../mod.ts";

/** How the victims work: the same in every run of one torture, but for the trace and the order. */
export interface Work {
  readonly sources: number;
  readonly maxOpenSources: number;
  readonly checkpoint: string;
  /** Where the outputs go. */
  readonly output: string;
  /** Where a run notes what it opened. */
  readonly trace: string;
  /** The source to begin with. @default 0 */
  readonly first?: number;
  /** After how many sources a run opens no more of them. @default all */
  readonly mostOpened?: number;
  /** How long the version is that is recorded with each source. @default none */
  readonly versionLength?: number;
}

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
  const { sources, first = 0, versionLength = 0, output } = work;
  await mkdir(output, { recursive: true });
  return pipeline("torture")
    .source(() => Array.from({ length: sources }, (_, i) => (i + first) % sources), {
      id: sourceId,
      ...(versionLength > 0 ? { version: () => "v".repeat(versionLength) } : {}),
    })
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
