import process from "node:process";
import { Union } from "../../mod.ts";
import { checkpointName, type Contents, prepareCheckpoint, preparersOf } from "../checkpoints.ts";
import { readDoneFiles } from "../logs/done_file.ts";
import { openHarness } from "../open_harness.ts";
import {
  besideStores,
  type Contender,
  type Figures,
  FreshSubject,
  type Scenario,
} from "../scenario.ts";

const BASELINE = "JSONL done-files";
/** A store in memory has to be filled again for each process, and nobody resumes from it. */
const MOST_IN_MEMORY = 100_000;
const QUICK: readonly Contents[] = [
  { sources: 100_000, writers: 1 },
  { sources: 100_000, writers: 64 },
  { sources: 100_000, writers: 1_000 },
  { sources: 1_000_000, writers: 64 },
];
const FULL: readonly Contents[] = [
  ...QUICK,
  { sources: 1_000_000, writers: 1 },
  { sources: 1_000_000, writers: 1_000 },
  // What the original was measured with.
  { sources: 2_000_000, writers: 8 },
  { sources: 10_000_000, writers: 64 },
];

class Reading extends FreshSubject {
  async round(): Promise<Figures> {
    const { harness, prepared, parameters } = this.setting;
    const before = process.memoryUsage.rss();
    const began = performance.now();
    let peak = before;
    let found: number;
    if (harness === undefined) {
      found = (await readDoneFiles(prepared)).size;
    } else {
      const union = new Union();
      await using store = await openHarness(harness, prepared);
      for await (const { records } of store.read()) {
        for (const bytes of records) {
          const fault = union.addEncoded(bytes);
          if (fault !== undefined) throw new Error(`a record is ${fault}`);
        }
        peak = Math.max(peak, process.memoryUsage.rss());
      }
      found = union.completeCount;
    }
    const time = performance.now() - began;
    peak = Math.max(peak, process.memoryUsage.rss());
    const sources = Number(parameters["sources"]);
    if (found !== sources) throw new Error(`${found} of ${sources} sources were found`);
    return { time, rate: (sources * 1_000) / time, memory: (peak - before) / 1e6 };
  }
}

/** What it takes to learn what all writers have recorded. */
export const union: Scenario = {
  name: "union",
  summary:
    "reading and merging all writers' records when a run starts, in a fresh process: time, " +
    "and by how much the process grows",
  usesStores: true,
  leftOut: "1,000,000 ids by 1 and by 1,000 writers, 2,000,000 by 8, 10,000,000 by 64",
  columns: [
    { key: "time", title: "time", unit: "ms", compared: true },
    { key: "rate", title: "ids", unit: "1/s" },
    { key: "memory", title: "memory", unit: "MB" },
  ],
  contests: ({ full, stores }) =>
    (full ? FULL : QUICK).map(({ sources, writers }) => {
      const contender = (name: string): Contender => ({
        name,
        parameters: { sources, writers },
        prepared: checkpointName(name, { sources, writers }),
        preparers: preparersOf({ sources, writers }),
      });
      return {
        name: `${sources.toLocaleString("en")} ids, ${writers.toLocaleString("en")} writers`,
        contenders: besideStores(
          [BASELINE],
          stores.filter(({ durable }) => durable || sources <= MOST_IN_MEMORY),
          contender,
        ),
        baselines: [BASELINE],
        fresh: true,
      };
    }),
  prepare: prepareCheckpoint,
  open: async (setting) => new Reading(setting),
};
