/**
 * A run of many short sources that is there to be killed. Leaves a trace of the sources that it
 * begins, and says on standard output when it begins one that no run has begun before.
 */
import { openSync, writeSync } from "node:fs";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { pipeline } from "../mod.ts";
import { loadHarness } from "../test/conformance/mod.ts";
import { DoneFile, readDoneFiles } from "./logs/done_file.ts";
import { openHarness } from "./open_harness.ts";
import { sourceName } from "./source_names.ts";

/** What is to be run, as JSON in the first argument. */
export interface InterruptedWork {
  readonly way: "store" | "done-file" | "nothing";
  readonly store?: string;
  /** Where the checkpoint is. */
  readonly directory: string;
  /** The file to which each source's number is added when it begins. */
  readonly trace: string;
  /** The first source that no run has begun. */
  readonly firstNew: number;
  /** How many sources are under way at once. */
  readonly open: number;
  /** How long a source takes, in milliseconds. */
  readonly duration: number;
}

const ENDLESS = 10_000_000;

function* numbers(): Generator<number> {
  for (let i = 0; i < ENDLESS; i++) yield i;
}

async function workOn({ duration, firstNew }: InterruptedWork, number: number): Promise<void> {
  // Synchronous, so that what was begun is known before it is worked on. And a file, since a
  // pipe may be full.
  writeSync(trace, `${number}\n`);
  if (number === firstNew) process.stdout.write("new\n");
  await sleep(duration);
}

async function withStore(work: InterruptedWork): Promise<void> {
  const harness = await loadHarness(work.store!);
  await using store = await openHarness(harness, work.directory);
  await pipeline("interruption")
    .source(numbers, { id: sourceName })
    .sink((number) => workOn(work, number), { concurrency: work.open })
    .run({ checkpoint: store, maxOpenSources: work.open });
}

/** As many sources at a time, those that a done-file names left out. */
async function withoutStore(work: InterruptedWork): Promise<void> {
  const isKept = work.way === "done-file";
  const done = isKept ? await readDoneFiles(work.directory) : new Set<string>();
  await using file = isKept ? await DoneFile.open(work.directory) : undefined;
  const input = numbers();
  const one = async (): Promise<void> => {
    for (const number of input) {
      const source = sourceName(number);
      if (done.has(source)) continue;
      await workOn(work, number);
      await file?.append([{ source }]);
    }
  };
  await Promise.all(Array.from({ length: work.open }, one));
}

const work = JSON.parse(process.argv[2]!) as InterruptedWork;
const trace = openSync(work.trace, "w");
await (work.way === "store" ? withStore(work) : withoutStore(work));
