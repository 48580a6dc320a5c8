/**
 * No-op items per second through four stages, with a checkpoint on disk, beside
 * `streaming-iterables` doing the same without one: `npm run bench:throughput`.
 */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Command } from "commander";
import { consume, flatMap, transform } from "streaming-iterables";
import { pipeline } from "../mod.ts";
import { machine, median } from "./runtime.ts";

const { sources, items, rounds, concurrency } = new Command("throughput")
  .option("--sources <n>", "sources", Number, 1_000)
  .option("--items <n>", "items that each source fans out to", Number, 1_000)
  .option("--rounds <n>", "measurements of each, taken in turn", Number, 3)
  .option("--concurrency <n>", "calls at once per stage", Number, 16)
  .parse().opts<Record<"sources" | "items" | "rounds" | "concurrency", number>>();

const inputs = Array.from({ length: sources }, (_, i) => i);
const children = Array.from({ length: items }, (_, i) => i);
const noOp = async (item: number) => item;

/** Four stages: a fan-out, two maps and a sink. */
async function tidemark(checkpoint: string | undefined): Promise<void> {
  await pipeline("throughput")
    .source(inputs, { id: String })
    .flatMap(() => children)
    .map(noOp)
    .map(noOp)
    .sink(noOp)
    .run({ concurrency, ...(checkpoint === undefined ? {} : { checkpoint }) });
}

async function streamingIterables(): Promise<void> {
  const expanded = flatMap(() => children, inputs);
  const mapped = transform(concurrency, noOp, transform(concurrency, noOp, expanded));
  await consume(transform(concurrency, noOp, mapped));
}

const directory = await mkdtemp(join(tmpdir(), "tidemark-bench-"));
let round = 0;
const contenders: Record<string, () => Promise<void>> = {
  "streaming-iterables": streamingIterables,
  "tidemark, no checkpoint": () => tidemark(undefined),
  "tidemark, memory": () => tidemark("memory:"),
  "tidemark, LMDB": () => tidemark(join(directory, `lmdb-${round}`)),
  "tidemark, SQLite": () => tidemark(`sqlite:${join(directory, `sqlite-${round}`)}`),
};
const rates = new Map(Object.keys(contenders).map((name) => [name, [] as number[]]));
// The first round warms up and does not count.
for (round = 0; round <= rounds; round++) {
  for (const [name, contender] of Object.entries(contenders)) {
    const began = performance.now();
    await contender();
    const rate = (sources * items) / ((performance.now() - began) / 1_000);
    if (round > 0) rates.get(name)!.push(rate);
  }
}
await rm(directory, { recursive: true });

const baseline = rates.get("streaming-iterables")!;
console.log(
  `${machine()}\n${sources} sources × ${items} items, four no-op stages, concurrency ${concurrency}, ` +
    `median of ${rounds}; LMDB and SQLite durable on disk\n`,
);
for (const [name, measured] of rates) {
  // The ratio of each round, so that a slow moment of the machine touches both sides.
  const ratio = median(measured.map((rate, i) => rate / baseline[i]!));
  console.log(
    `${name.padEnd(26)}${Math.round(median(measured)).toLocaleString("en").padStart(12)} items/s` +
      `   ${ratio.toFixed(2)} ×`,
  );
}
process.exitCode = 0;
