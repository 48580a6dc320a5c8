import type { AnyStage } from "../../core/stage.ts";
import { FailedTask, type SourceRef, type Task } from "../../core/task.ts";
import { sourceOf } from "./record_checks.ts";
import type { RunWatch } from "./run_watch.ts";
import type { Item, SinkShape } from "./shape.ts";
import { StageCalls } from "./stage_calls.ts";

/** The sink of a run. */
export function sinkStage(run: RunWatch, shape: SinkShape): AnyStage {
  const { name, attempts, concurrency } = shape;
  const options = {
    name,
    retry: { attempts, delay: 20 },
    ...(concurrency === undefined ? {} : { concurrency }),
  };
  const sink = shape.commits ? new CommittingSink(run, shape) : new PlainSink(run, shape);
  return { ...options, ...sink.methods() };
}

/** Takes items; what it took is durable when the call resolves. */
class PlainSink {
  readonly #run: RunWatch;
  readonly #shape: SinkShape;
  readonly #calls: StageCalls;

  constructor(run: RunWatch, shape: SinkShape) {
    this.#run = run;
    this.#shape = shape;
    this.#calls = new StageCalls(run, shape);
  }

  methods(): Partial<AnyStage> {
    return {
      ...this.#calls.lifecycle,
      ...takes(this.#shape, (tasks) => this.#take(tasks)),
    };
  }

  #take(tasks: readonly Task<Item>[]): unknown {
    for (const { payload, source } of tasks) this.#calls.checkSource(payload, source);
    this.#calls.enter(tasks.length);
    const { world } = this.#run.process.simulation;
    if (!this.#shape.isAsync) {
      try {
        return this.#answer(this.#write(tasks));
      } finally {
        this.#calls.leave();
      }
    }
    const name = `${this.#shape.name} takes ${tasks.map((t) => t.id).join()}`;
    let written: Written | undefined;
    return this.#run.process.effect(name, () => {
      written = this.#write(tasks);
    }).then(() => {
      this.#calls.leave();
      if (world.chance(this.#run.process.simulation.weather.sinkThrows)) {
        throw new Error("simulated: the sink threw after it wrote");
      }
      return this.#answer(written!);
    });
  }

  /** Writes what it does not refuse, up to where it breaks. */
  #write(tasks: readonly Task<Item>[]): Written {
    const { world, weather, outputs } = this.#run.process.simulation;
    const refused = new Set<Task<Item>>();
    for (const task of tasks) {
      if (world.chance(weather.sinkThrows)) return { tasks, refused, isBroken: true };
      if (world.chance(weather.slotFails)) refused.add(task);
      else outputs.write(task.payload);
    }
    return { tasks, refused, isBroken: false };
  }

  #answer({ tasks, refused, isBroken }: Written): unknown {
    if (isBroken) throw new Error("simulated: the sink threw");
    const results = tasks.map((task) => {
      if (!refused.has(task)) return undefined;
      this.#run.bar(task.payload.source, "the sink refused a task of it");
      return new FailedTask("simulated: the sink refused");
    });
    return this.#shape.batchSize > 1 ? results : results[0];
  }
}

interface Written {
  readonly tasks: readonly Task<Item>[];
  readonly refused: ReadonlySet<Task<Item>>;
  readonly isBroken: boolean;
}

/** Takes items, and puts a source's output in its place as a whole when it is told to. */
class CommittingSink {
  readonly #run: RunWatch;
  readonly #shape: SinkShape;
  readonly #calls: StageCalls;
  readonly #taken = new Map<string, Map<string, Item>>();
  readonly #ends = new Map<string, "committing" | "committed" | "discarded">();

  constructor(run: RunWatch, shape: SinkShape) {
    this.#run = run;
    this.#shape = shape;
    this.#calls = new StageCalls(run, shape);
  }

  methods(): Partial<AnyStage> {
    const { setup, teardown } = this.#calls.lifecycle;
    return {
      setup,
      teardown: async () => {
        if ([...this.#ends.values()].includes("committing")) {
          this.#violate("was torn down during a commit");
        }
        await teardown();
      },
      ...takes(this.#shape, (tasks) => this.#take(tasks)),
      commitSource: (source) => this.#commit(source),
      discardSource: (source) => this.#discard(source),
    };
  }

  #take(tasks: readonly Task<Item>[]): unknown {
    for (const { payload, source } of tasks) this.#calls.checkSource(payload, source);
    return this.#calls.call(tasks.map((t) => t.payload), () => {
      const { world, weather } = this.#run.process.simulation;
      for (const { payload, path, source } of tasks) {
        if (source === undefined) continue;
        const end = this.#ends.get(source.id);
        if (end !== undefined) this.#violate(`was given a task of ${source.id}, which is ${end}`);
        const taken = this.#taken.get(source.id) ?? new Map<string, Item>();
        this.#taken.set(source.id, taken.set(path.join("_"), payload));
      }
      if (world.chance(weather.sinkThrows)) throw new Error("simulated: the sink threw");
      return this.#shape.batchSize > 1 ? tasks.map(() => undefined) : undefined;
    });
  }

  async #commit(ref: SourceRef): Promise<void> {
    const { world, weather } = this.#run.process.simulation;
    const end = this.#ends.get(ref.id);
    if (end !== undefined) this.#violate(`was told to commit ${ref.id}, which is ${end}`);
    this.#ends.set(ref.id, "committing");
    const fault = world.chance(weather.commitThrows) ? world.pick(["before", "after"]) : "";
    if (fault === "before") await this.#run.process.pause(`commit of ${ref.id} fails`);
    else await this.#run.process.effect(`commits ${ref.id}`, () => this.#publish(ref));
    if (fault === "") {
      this.#ends.set(ref.id, "committed");
      return;
    }
    world.count("commitFailures");
    this.#ends.delete(ref.id);
    throw new Error(`simulated: the commit failed ${fault} it was done`);
  }

  #publish(ref: SourceRef): void {
    const { simulation } = this.#run.process;
    const { world, outputs } = simulation;
    const source = sourceOf(simulation, ref.id)!;
    const version = this.#run.versionOf(source);
    const trails = [...this.#taken.get(ref.id)?.values() ?? []].map((i) => i.trail).toSorted();
    if (trails.join(" ") !== outputs.expected(source, version).toSorted().join(" ")) {
      this.#violate(
        `was told to commit ${ref.id} with ${trails.length} outputs, which are not its`,
      );
    }
    world.count("commits");
    outputs.publish(source, version, trails);
  }

  async #discard({ id }: SourceRef): Promise<void> {
    const { world, weather } = this.#run.process.simulation;
    const end = this.#ends.get(id);
    if (end !== undefined) this.#violate(`was told to discard ${id}, which is ${end}`);
    this.#ends.set(id, "discarded");
    this.#taken.delete(id);
    world.count("discards");
    await this.#run.process.pause(`discards ${id}`);
    if (world.chance(weather.discardThrows)) throw new Error("simulated: not discarded");
  }

  #violate(what: string): void {
    this.#run.process.simulation.world.violate("the sink", `${this.#run.process.name}: it ${what}`);
  }
}

function takes(
  { batchSize }: SinkShape,
  take: (tasks: readonly Task<Item>[]) => unknown,
): Partial<AnyStage> {
  return batchSize > 1
    ? { batchSize, processBatch: (tasks) => take(tasks) as undefined[] }
    : { process: (task) => take([task]) as undefined };
}
