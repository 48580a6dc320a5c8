import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Readable } from "node:stream";
import { type CheckpointStore, pipeline } from "../../mod.ts";
import { openHarness } from "../open_harness.ts";
import { optionalModule } from "../optional_module.ts";
import {
  type Contender,
  durabilityOf,
  type Figures,
  NOT_WRITTEN,
  type Scenario,
  type Setting,
  type Subject,
} from "../scenario.ts";

const CONCURRENCY = 16;
const QUICK = { sources: 200, items: 500 };
const FULL = { sources: 1_000, items: 1_000 };

const noOp = async (item: number): Promise<number> => item;

/** What flows: each source fans out to the same items, which pass two maps and a sink. */
interface Input {
  readonly sources: readonly number[];
  readonly items: readonly number[];
}

type Flow = (input: Input) => Promise<void>;

async function forAwait({ sources, items }: Input): Promise<void> {
  const expanded = async function* (): AsyncGenerator<number> {
    for (const _ of sources) yield* items;
  };
  const mapped = async function* (input: AsyncIterable<number>): AsyncGenerator<number> {
    for await (const item of input) yield await noOp(item);
  };
  for await (const item of mapped(mapped(expanded()))) await noOp(item);
}

/** What is used of the package `p-map`. */
interface PMap {
  readonly default: (
    input: Iterable<number>,
    mapper: (item: number) => Promise<unknown>,
    options: { concurrency: number },
  ) => Promise<unknown>;
}

async function pMapFlow(): Promise<Flow> {
  const { default: pMap } = await optionalModule<PMap>("p-map");
  return async ({ sources, items }) => {
    const expanded = function* (): Generator<number> {
      for (const _ of sources) yield* items;
    };
    const through = async (item: number) => await noOp(await noOp(await noOp(item)));
    await pMap(expanded(), through, { concurrency: CONCURRENCY });
  };
}

/** What is used of the package `streaming-iterables`. */
interface StreamingIterables {
  readonly flatMap: (
    expand: () => readonly number[],
    input: readonly number[],
  ) => AsyncIterable<number>;
  readonly transform: (
    concurrency: number,
    map: (item: number) => Promise<number>,
    input: AsyncIterable<number>,
  ) => AsyncIterable<number>;
  readonly consume: (input: AsyncIterable<number>) => Promise<void>;
}

async function streamingIterablesFlow(): Promise<Flow> {
  const { consume, flatMap, transform } = await optionalModule<StreamingIterables>(
    "streaming-iterables",
  );
  return async ({ sources, items }) => {
    const expanded = flatMap(() => items, sources);
    const mapped = transform(CONCURRENCY, noOp, transform(CONCURRENCY, noOp, expanded));
    await consume(transform(CONCURRENCY, noOp, mapped));
  };
}

async function nodeStreams({ sources, items }: Input): Promise<void> {
  const concurrency = { concurrency: CONCURRENCY };
  await Readable.from(sources)
    .flatMap(() => items)
    .map(noOp, concurrency)
    .map(noOp, concurrency)
    .forEach(
      noOp as (item: number) => Promise<unknown> as (item: number) => Promise<void>,
      concurrency,
    );
}

async function tidemark({ sources, items }: Input, store?: CheckpointStore): Promise<void> {
  const report = await pipeline("throughput")
    .source(sources, { id: String })
    .flatMap(() => items)
    .map(noOp)
    .map(noOp)
    .sink(noOp)
    .run({ concurrency: CONCURRENCY, ...(store === undefined ? {} : { checkpoint: store }) });
  if (report.sources.completed !== sources.length) throw new Error("not all sources completed");
}

const BASELINE = "streaming-iterables";
const WITHOUT = "tidemark, no checkpoint";
const FLOWS: Readonly<Record<string, () => Promise<Flow>>> = {
  [BASELINE]: streamingIterablesFlow,
  "for await, one at a time": async () => forAwait,
  "p-map, one map for all": pMapFlow,
  "Node streams": async () => nodeStreams,
  [WITHOUT]: async () => (input) => tidemark(input),
};

function storeFlow({ harness, directory }: Setting): Flow {
  return async (input) => {
    const path = mkdtempSync(join(directory, "round-"));
    {
      await using store = await openHarness(harness!, path);
      await tidemark(input, store);
    }
    rmSync(path, { recursive: true });
  };
}

class Flowing implements Subject {
  readonly durability: string;
  readonly #flow: Flow;
  readonly #input: Input;

  constructor({ harness, parameters }: Setting, flow: Flow) {
    this.durability = harness === undefined ? NOT_WRITTEN : durabilityOf(harness);
    this.#flow = flow;
    const upTo = (count: unknown) => Array.from({ length: Number(count) }, (_, i) => i);
    this.#input = { sources: upTo(parameters["sources"]), items: upTo(parameters["items"]) };
  }

  async round(): Promise<Figures> {
    const began = performance.now();
    await this.#flow(this.#input);
    const time = performance.now() - began;
    return { rate: (this.#input.sources.length * this.#input.items.length * 1_000) / time };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** What the engine itself costs. */
export const throughput: Scenario = {
  name: "pipeline",
  summary: "items per second through a fan-out, two maps and a sink that do nothing, " +
    `concurrency ${CONCURRENCY}`,
  usesStores: true,
  columns: [{ key: "rate", title: "items", unit: "1/s", compared: true }],
  contests: ({ full, stores }) => {
    const parameters = full ? FULL : QUICK;
    return [{
      name: `${parameters.sources.toLocaleString("en")} sources × ` +
        `${parameters.items.toLocaleString("en")} items`,
      contenders: [
        ...Object.keys(FLOWS).map((name): Contender => ({ name, parameters })),
        ...stores.map(({ name, spec }) => ({ name: `tidemark, ${name}`, store: spec, parameters })),
      ],
      baselines: [BASELINE, WITHOUT],
    }];
  },
  open: async (setting) =>
    new Flowing(
      setting,
      setting.harness === undefined ? await FLOWS[setting.contender]!() : storeFlow(setting),
    ),
};
