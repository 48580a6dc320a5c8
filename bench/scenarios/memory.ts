import { pipeline, Union } from "../../mod.ts";
import type { Harness } from "../../test/conformance/mod.ts";
import { openHarness } from "../open_harness.ts";
import { liveMemory } from "../process.ts";
import { type Contender, type Figures, FreshSubject, type Scenario } from "../scenario.ts";
import { sourceName } from "../source_names.ts";

const ITEMS = 4;
/** Live memory is measured after a collection, this often in a run. */
const SAMPLES = 10;
/** How many sources a run has that is not measured. */
const FIRST = 1_000;
const QUICK = [10_000, 100_000];
const FULL = [10_000, 1_000_000];

function* inputs(sources: number, sample: () => void): Generator<string> {
  for (let i = 0; i < sources; i++) {
    if (i % Math.ceil(sources / SAMPLES) === 0) sample();
    yield sourceName(i);
  }
}

/** Live memory while only the ids are kept: those seen in the run, and those complete. */
function idsAlone(sources: number): number[] {
  const samples: number[] = [];
  const complete = new Union();
  // A run keeps them as a union does.
  const seen = new Union();
  const before = liveMemory();
  for (const source of inputs(sources, () => samples.push(liveMemory() - before))) {
    const record = { source, state: "complete", clock: 1, writer: "w", at: 0 } as const;
    seen.add(record);
    complete.add(record);
  }
  // Both are in use until here.
  if (seen.completeCount !== complete.completeCount) throw new Error("the unions differ");
  return samples;
}

/** Live memory over the course of a run. */
async function wholeRun(
  harness: Harness,
  directory: string,
  sources: number,
): Promise<number[]> {
  const samples: number[] = [];
  await using store = await openHarness(harness, directory);
  const report = await pipeline("memory")
    .source(() => inputs(sources, () => samples.push(liveMemory())), { id: (name) => name })
    .flatMap((name) =>
      Array.from({ length: ITEMS }, (_, i) => ({ name, i, text: name.repeat(20) }))
    )
    .map(async (item) => item)
    .filter((item) => item.i > 0)
    .sink(() => {})
    .run({ checkpoint: store });
  if (report.sources.completed !== sources) throw new Error("not all sources completed");
  return samples;
}

class Running extends FreshSubject {
  async round(): Promise<Figures> {
    const sources = Number(this.setting.parameters["sources"]);
    const { harness, directory } = this.setting;
    const ids = idsAlone(sources);
    const whole = await wholeRun(harness!, directory, sources);
    const peak = Math.max(...whole.map((bytes, i) => bytes - ids[i]!));
    return { whole: Math.max(...whole) / 1e6, ids: Math.max(...ids) / 1e6, peak: peak / 1e6 };
  }
}

/** Whether memory follows what is open rather than what has passed. */
export const memory: Scenario = {
  name: "memory",
  summary: `peak of live memory in a run of four stages, ${ITEMS} items a source, and what of it ` +
    "is not the ids of sources seen and complete; after collection, measured once",
  usesStores: true,
  leftOut: "1,000,000 sources",
  columns: [
    { key: "whole", title: "peak", unit: "MB" },
    { key: "ids", title: "ids", unit: "MB" },
    { key: "peak", title: "peak without ids", unit: "MB", compared: true },
  ],
  contests: ({ full, stores }) =>
    // What is kept in memory only grows with what has passed.
    stores.filter(({ durable }) => durable).map(({ name, spec }) => {
      const contenders = (full ? FULL : QUICK).map((sources): Contender => ({
        name: `${sources.toLocaleString("en")} sources`,
        store: spec,
        parameters: { sources },
        prepared: `compiled modules, ${name}`,
      }));
      return { name, contenders, baselines: [contenders[0]!.name], rounds: 1, fresh: true };
    }),
  // A run in another process, so that the compiler of modules is in the memory of neither.
  prepare: async ({ harness, prepared }) => {
    await wholeRun(harness!, prepared, FIRST);
  },
  open: async (setting) => new Running(setting),
};
