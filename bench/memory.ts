/**
 * The peak of live memory for few and for many sources of the same size, each in a process of
 * its own, with what the ids of completed sources take set aside: `npm run bench:memory`.
 */
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { pipeline, Union } from "../mod.ts";
import { machine } from "./runtime.ts";

const ITEMS = 4;
/** Live memory is measured after a collection, this often in a run. */
const SAMPLES = 20;

function live(): number {
  (globalThis as { gc?: () => void }).gc!();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

/** Ids of the same kind as paths, as flat strings, which is what a file listing gives. */
function* inputs(sources: number, sample: () => void): Generator<string> {
  for (let i = 0; i < sources; i++) {
    if (i % Math.ceil(sources / SAMPLES) === 0) sample();
    yield Buffer.from(`data/part-${String(i).padStart(8, "0")}.jsonl`).toString("latin1");
  }
}

/** Live memory over the course of a run. */
async function wholeRun(sources: number): Promise<number[]> {
  const directory = mkdtempSync(join(tmpdir(), "tidemark-memory-"));
  const samples: number[] = [];
  const report = await pipeline("memory")
    .source(() => inputs(sources, () => samples.push(live())), { id: (name) => name })
    .flatMap((name) =>
      Array.from({ length: ITEMS }, (_, i) => ({ name, i, text: name.repeat(20) }))
    )
    .map(async (item) => item)
    .filter((item) => item.i > 0)
    .sink(() => {})
    .run({ checkpoint: join(directory, "ckpt") });
  rmSync(directory, { recursive: true });
  if (report.sources.completed !== sources) throw new Error("not all sources completed");
  return samples;
}

/** Live memory while only the ids are kept: those seen in the run, and those complete. */
function idsAlone(sources: number): number[] {
  const samples: number[] = [];
  const union = new Union();
  const seen = new Set<string>();
  const before = live();
  for (const source of inputs(sources, () => samples.push(live() - before))) {
    seen.add(source);
    union.add({ source, state: "complete", clock: 1, writer: "w", at: 0 });
  }
  // Both are in use until here.
  if (seen.size !== union.completeCount) throw new Error("the sets differ");
  return samples;
}

function measured(what: "run" | "ids", sources: number): number[] {
  const file = new URL(import.meta.url).pathname;
  const flags = process.versions["deno"] === undefined
    ? ["--expose-gc", file]
    : ["run", "-A", "--v8-flags=--expose-gc", file];
  const child = spawnSync(process.execPath, [...flags, what, String(sources)], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
  });
  return JSON.parse(child.stdout) as number[];
}

const [, , what, sources] = process.argv;
if (what !== undefined) {
  console.log(
    JSON.stringify(what === "run" ? await wholeRun(Number(sources)) : idsAlone(Number(sources))),
  );
} else {
  console.log(
    `${machine()}\nfour stages, ${ITEMS} items a source, LMDB; live memory after collection, MB\n`,
  );
  const peaks = [10_000, 1_000_000].map((count) => {
    const whole = measured("run", count);
    const ids = measured("ids", count);
    const peak = Math.max(...whole.map((bytes, i) => bytes - ids[i]!));
    const mb = (bytes: number) => (bytes / 1e6).toFixed(1).padStart(7);
    console.log(
      `${count.toLocaleString("en").padStart(9)} sources: peak ${mb(Math.max(...whole))}, ` +
        `ids ${mb(Math.max(...ids))}, without them ${mb(peak)}`,
    );
    return peak;
  });
  console.log(`\n1,000,000 sources need ${(peaks[1]! / peaks[0]!).toFixed(2)} × what 10,000 need`);
}
