import { type Pipeline, pipelineOn, type Runnable } from "../../core/pipeline.ts";
import type { AnyStage } from "../../core/stage.ts";
import { FailedTask, NoneTask, type SourceRef, type Task } from "../../core/task.ts";
import type { RunWatch } from "./run_watch.ts";
import { type Item, outcomeOf, placeOf, type StageShape, versionText } from "./shape.ts";
import { hostOf } from "./simulated_host.ts";
import { sinkStage } from "./sinks.ts";
import { StageCalls } from "./stage_calls.ts";

/** Makes the real pipeline of a run. */
export function pipelineFor(run: RunWatch): Runnable {
  const { shape } = run.process.simulation;
  const start = pipelineOn(hostOf(run.process))("simulated");
  const identity = {
    ...(shape.ids === undefined ? {} : { id: (i: Item) => shape.ids![i.source]! }),
    ...(shape.isVersioned ? { version: (i: Item) => versionText(shape, i.version)! } : {}),
  };
  let pipeline: Pipeline<Item> = shape.isObject
    ? start.source(sourceStage(run))
    : start.source(() => sourceValues(run, run.plan.items), identity);
  for (const stage of shape.stages) pipeline = withStage(pipeline, new StageBehaviour(run, stage));
  return shape.sink === undefined ? pipeline : pipeline.sink(sinkStage(run, shape.sink));
}

/** What the source stage is given. */
export function initialTasks(run: RunWatch): readonly unknown[] | undefined {
  const { shape } = run.process.simulation;
  if (shape.chunks === 1) return undefined;
  return Array.from(
    { length: shape.chunks },
    (_, chunk) => run.plan.items.filter((i) => placeOf(shape, i.source)[0] === chunk),
  );
}

function sourceStage(run: RunWatch): AnyStage {
  const { shape, world, weather } = run.process.simulation;
  return {
    name: "source",
    output: shape.input === "one" ? "one" : "many",
    concurrency: shape.sourceConcurrency,
    retry: { attempts: shape.sourceAttempts, delay: 10 },
    process: async (task: Task<readonly Item[] | undefined>) => {
      await run.process.pause("lists sources");
      if (world.chance(weather.sourceThrows)) {
        world.count("sourceErrors");
        throw new Error("simulated: the sources cannot be listed");
      }
      const items = task.payload ?? run.plan.items;
      return shape.input === "one" ? items[0] ?? null : sourceValues(run, items);
    },
    ...(shape.ids === undefined ? {} : { sourceId: (i: Item) => shape.ids![i.source]! }),
    ...(shape.isVersioned ? { sourceVersion: (i: Item) => versionText(shape, i.version)! } : {}),
  };
}

function sourceValues(
  run: RunWatch,
  items: readonly Item[],
): Item[] | Iterable<Item> | AsyncIterable<Item> {
  const { shape, world, weather } = run.process.simulation;
  const twice = shape.ids !== undefined && items.length > 0 && world.chance(weather.sourceTwice);
  const list = twice ? [...items, items[0]!] : [...items];
  const breaks = () => {
    if (!world.chance(weather.sourceThrows / 4)) return;
    world.count("sourceErrors");
    throw new Error("simulated: the list of sources broke");
  };
  if (shape.input === "array") return list;
  if (shape.input === "iterable") {
    return (function* () {
      for (const item of list) {
        breaks();
        yield item;
      }
    })();
  }
  return (async function* () {
    for (const item of list) {
      if (world.chance(0.5)) await run.process.pause("finds a source");
      breaks();
      yield item;
    }
  })();
}

function withStage(pipeline: Pipeline<Item>, stage: StageBehaviour): Pipeline<Item> {
  const { shape, options } = stage;
  if (shape.isObject) return pipeline.stage(stage.asObject()) as Pipeline<Item>;
  const one = (item: Item, { source }: { source: SourceRef | undefined }) =>
    stage.one(item, source) as Item;
  switch (shape.kind) {
    case "map":
      return pipeline.map(one, options);
    case "filter":
      return pipeline.filter(async (item, { source }) => {
        const kept: unknown = await stage.one(item, source);
        if (kept === undefined || kept instanceof FailedTask) return kept as FailedTask;
        return kept !== null && !(kept instanceof NoneTask);
      }, options);
    case "flatMap":
      return pipeline.flatMap((item, { source }) => stage.one(item, source) as Item[], options);
    case "batch":
      return pipeline.batch(shape.batchSize, (items) => stage.batch(items) as Item[], options);
    case "flatBatch":
      return pipeline.flatBatch(
        shape.batchSize,
        (items) => stage.batch(items) as Item[][],
        options,
      );
    default:
      return shape.kind satisfies never;
  }
}

/** What the user's code in one stage does: what its shape says, unless something goes wrong. */
class StageBehaviour {
  readonly shape: StageShape;
  readonly options: {
    readonly name: string;
    readonly retry: { readonly attempts: number; readonly delay: number };
    readonly concurrency?: number;
  };
  readonly #run: RunWatch;
  readonly #calls: StageCalls;

  constructor(run: RunWatch, shape: StageShape) {
    const { name, attempts, concurrency } = shape;
    this.shape = shape;
    this.#run = run;
    this.#calls = new StageCalls(run, shape);
    this.options = {
      name,
      retry: { attempts, delay: 20 },
      ...(concurrency === undefined ? {} : { concurrency }),
    };
  }

  asObject(): AnyStage {
    const { kind, batchSize } = this.shape;
    const isBatched = kind === "batch" || kind === "flatBatch";
    return {
      ...this.options,
      output: kind === "flatMap" || kind === "flatBatch" ? "many" : "one",
      ...this.#calls.lifecycle,
      ...(isBatched
        ? {
          batchSize,
          processBatch: (tasks: readonly Task<Item>[]) => {
            for (const { payload, source } of tasks) this.#calls.checkSource(payload, source);
            return this.batch(tasks.map((t) => t.payload)) as Item[];
          },
        }
        : { process: (task: Task<Item>) => this.one(task.payload, task.source) as Item }),
    };
  }

  /** One item's slot, or its fan-out. */
  one(item: Item, source: SourceRef | undefined): unknown {
    this.#calls.checkSource(item, source);
    return this.#calls.call([item], () => {
      this.#mayThrow();
      return this.shape.kind === "flatMap" ? this.#fanOut(item, true) : this.#slot(item);
    });
  }

  /** A batch's slots, or its fan-outs; or something that fits nothing. */
  batch(items: readonly Item[]): unknown {
    const { world, weather } = this.#run.process.simulation;
    return this.#calls.call(items, () => {
      this.#mayThrow();
      if (world.chance(weather.streamBreaks / 2)) {
        world.count("brokenBatches");
        return breakingBatch(world.below(items.length + 1));
      }
      const isMany = this.shape.kind === "flatBatch";
      if (world.chance(weather.misattribute)) return this.#misattributed(items, isMany);
      const results = items.map((i) => (isMany ? this.#fanOut(i, false) : this.#slot(i)));
      return world.chance(0.2) ? results.values() : results;
    });
  }

  /** Results that fit nothing; with a list in them that breaks, the batch fails as a whole. */
  #misattributed(items: readonly Item[], isMany: boolean): unknown {
    const { world, weather } = this.#run.process.simulation;
    const lists = items.map((i) => outcomeOf(this.shape, i));
    const results: unknown[] = isMany ? lists : lists.map(([value]) => value);
    if (isMany && world.chance(weather.streamBreaks)) return [...results, breakingBatch(1)];
    world.count("unattributed");
    for (const { source } of items) this.#run.bar(source, "a batch of it was not attributed");
    return world.pick([results.slice(1), [...results, results[0] ?? null], null, undefined]);
  }

  #slot(item: Item): unknown {
    const { world, weather } = this.#run.process.simulation;
    if (world.chance(weather.slotFails)) {
      this.#run.bar(item.source, "a slot of it failed");
      return new FailedTask("simulated: a slot failed");
    }
    if (world.chance(weather.slotUndefined)) {
      this.#run.bar(item.source, "a slot of it was undefined");
      return undefined;
    }
    const [value] = outcomeOf(this.shape, item);
    return this.#orNone(value!);
  }

  #orNone(value: Item | null): unknown {
    return value === null && this.#run.process.simulation.world.chance(0.5)
      ? new NoneTask()
      : value;
  }

  #fanOut(item: Item, mayStream: boolean): unknown {
    const { world, weather } = this.#run.process.simulation;
    if (world.chance(weather.slotFails)) {
      this.#run.bar(item.source, "a fan-out of it failed");
      return new FailedTask("simulated: a fan-out failed");
    }
    const children = outcomeOf(this.shape, item).map((child) => {
      if (world.chance(weather.slotFails)) return new FailedTask("simulated: a child failed");
      return this.#orNone(child);
    });
    if (children.length === 0) {
      world.count("emptyFanOuts");
      if (world.chance(0.3)) return this.#orNone(null);
    }
    const breaksAt = world.chance(weather.streamBreaks) ? world.below(children.length + 1) : -1;
    const isStream = this.shape.stream !== "array";
    if (breaksAt >= 0) world.count("brokenStreams");
    if (!isStream) return this.#list(item, children, breaksAt);
    if (this.shape.stream === "iterable" || !mayStream) {
      return this.#breaking(item, children, breaksAt);
    }
    return this.#slowly(item, children, breaksAt);
  }

  /**
   * A list, which may say another length than it gives, and may then break before it gives
   * anything, so that the next attempt says yet another one.
   */
  #list(item: Item, children: readonly unknown[], breaksAt: number): unknown {
    const { world, weather } = this.#run.process.simulation;
    if (!world.chance(weather.lie)) {
      const list = [...children];
      return Object.assign(list, {
        [Symbol.iterator]: () => this.#breaking(item, children, breaksAt),
      });
    }
    const said = children.length === 0 || world.chance(0.5)
      ? children.length + 1 + world.below(3)
      : world.below(children.length);
    const isRetried = world.chance(0.5);
    world.count(isRetried ? "retriedFanOuts" : "lies");
    // An empty list says nothing before it has ended.
    if (said > 0) this.#run.bar(item.source, "a fan-out of it gave another count than it said");
    return Object.assign(Array.from({ length: said }), {
      [Symbol.iterator]: () => this.#breaking(item, children, isRetried ? 0 : breaksAt),
    });
  }

  async *#slowly(item: Item, children: readonly unknown[], breaksAt: number): AsyncGenerator {
    for (const child of this.#breaking(item, children, breaksAt)) {
      if (this.shape.isAsync) await this.#run.process.pause(`${this.shape.name} gives a child`);
      yield child;
    }
  }

  #mayThrow(): void {
    const { world, weather } = this.#run.process.simulation;
    if (world.chance(weather.stageThrows)) throw new Error("simulated: a stage threw");
  }

  *#breaking(item: Item, children: readonly unknown[], at: number): Generator {
    for (const [i, child] of children.entries()) {
      if (i === at) throw new Error("simulated: a fan-out broke");
      if (child instanceof FailedTask) this.#run.bar(item.source, "a child of it failed");
      yield child;
    }
    if (at === children.length) throw new Error("simulated: a fan-out broke at its end");
  }
}

function* breakingBatch(at: number): Generator {
  for (let i = 0; i < at; i++) yield null;
  throw new Error("simulated: a batch's results broke");
}
