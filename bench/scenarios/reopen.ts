import { mkdtempSync } from "node:fs";
import { join } from "node:path";
import { pipeline } from "../../mod.ts";
import type { Harness } from "../../test/conformance/mod.ts";
import { checkpointName, type Contents, prepareCheckpoint } from "../checkpoints.ts";
import { readDoneFiles } from "../logs/done_file.ts";
import { openHarness } from "../open_harness.ts";
import {
  besideStores,
  type Contender,
  type Figures,
  FreshSubject,
  type Scenario,
} from "../scenario.ts";
import { sourceName } from "../source_names.ts";

const BASELINE = "JSONL done-files";
const QUICK: readonly Contents[] = [
  { sources: 0, writers: 1 },
  { sources: 10_000, writers: 1 },
  // The same as in the scenario union, so that it has to be prepared once only.
  { sources: 100_000, writers: 1 },
];
const FULL: readonly Contents[] = [...QUICK, { sources: 1_000_000, writers: 1 }];

class Reopening extends FreshSubject {
  async round(): Promise<Figures> {
    const { harness, prepared, directory } = this.setting;
    // A run records its source, so a checkpoint is empty only once.
    const path = prepared === "" ? mkdtempSync(join(directory, "empty-")) : prepared;
    return {
      time: await (harness === undefined ? this.#doneFile(path) : this.#run(path, harness)),
    };
  }

  async #doneFile(path: string): Promise<number> {
    const began = performance.now();
    const done = await readDoneFiles(path);
    const skipped = done.has(sourceName(0));
    const time = performance.now() - began;
    this.#expect(skipped);
    return time;
  }

  async #run(path: string, harness: Harness): Promise<number> {
    let decided: { readonly time: number; readonly skipped: boolean } | undefined;
    const began = performance.now();
    await using store = await openHarness(harness, path);
    await pipeline("reopen").source([0], { id: sourceName }).sink(() => null).run({
      checkpoint: store,
      onEvent: ({ type }) => {
        if (type !== "source-skipped" && type !== "source-opened") return;
        decided = { time: performance.now() - began, skipped: type === "source-skipped" };
      },
    });
    this.#expect(decided?.skipped);
    return decided!.time;
  }

  #expect(skipped: boolean | undefined): void {
    const complete = Number(this.setting.parameters["sources"]) > 0;
    if (skipped !== complete) throw new Error("the first source was not decided on as it should");
  }
}

/** How long a run waits before it can work. */
export const reopen: Scenario = {
  name: "reopen",
  summary: "from opening a checkpoint to the first decision to skip a source or not: driver, " +
    "manifest, records; in a fresh process",
  usesStores: true,
  columns: [{ key: "time", title: "time", unit: "ms", compared: true }],
  leftOut: "1,000,000 sources (the scenario union has a case of that size)",
  contests: ({ full, stores }) =>
    (full ? FULL : QUICK).map(({ sources, writers }) => {
      const contender = (name: string): Contender => ({
        name,
        parameters: { sources, writers },
        ...(sources === 0 ? {} : { prepared: checkpointName(name, { sources, writers }) }),
      });
      return {
        name: `${sources.toLocaleString("en")} sources`,
        contenders: besideStores([BASELINE], stores.filter(({ durable }) => durable), contender),
        baselines: [BASELINE],
        fresh: true,
      };
    }),
  prepare: prepareCheckpoint,
  open: async (setting) => new Reopening(setting),
};
