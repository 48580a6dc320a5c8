import type { SourceRef } from "../../core/task.ts";
import type { RunWatch } from "./run_watch.ts";
import { type Item, keyOf, type SinkShape, versionText } from "./shape.ts";

/** What calls of a stage depend on. */
type CalledStage = Pick<SinkShape, "name" | "isAsync" | "batchSize" | "concurrency">;

/** What is the same about every stage: how it is called, set up and torn down. */
export class StageCalls {
  /** For stages that are objects. */
  readonly lifecycle: {
    readonly setup: () => Promise<void>;
    readonly teardown: () => Promise<void>;
  };
  readonly #run: RunWatch;
  readonly #stage: CalledStage;
  #underWay = 0;
  #isTornDown = false;

  constructor(run: RunWatch, stage: CalledStage) {
    this.#run = run;
    this.#stage = stage;
    const { world, weather } = run.process.simulation;
    this.lifecycle = {
      setup: async () => {
        await run.process.pause(`${stage.name} is set up`);
        if (world.chance(weather.setupFails)) throw new Error("simulated: not set up");
      },
      teardown: async () => {
        if (this.#underWay > 0) world.violate("stages", `${stage.name} torn down during a call`);
        this.#isTornDown = true;
        await run.process.pause(`${stage.name} is torn down`);
      },
    };
  }

  /** Does the work of a call, at once or when the world comes to it. */
  call(items: readonly Item[], work: () => unknown): unknown {
    this.enter(items.length);
    if (!this.#stage.isAsync || this.#run.process.simulation.world.chance(0.2)) {
      try {
        return work();
      } finally {
        this.leave();
      }
    }
    const trail = items.map((i) => `${i.source}${i.trail}`).join();
    return this.#run.process.pause(`${this.#stage.name} ${trail}`).then(work).finally(() =>
      this.leave()
    );
  }

  enter(size: number): void {
    const { name, batchSize, concurrency } = this.#stage;
    const { world } = this.#run.process.simulation;
    this.#underWay++;
    if (this.#isTornDown) world.violate("stages", `${name} called after its teardown`);
    if (size < 1 || size > batchSize) world.violate("stages", `${name} got a batch of ${size}`);
    if (this.#underWay > (concurrency ?? this.#run.plan.concurrency)) {
      world.violate("stages", `${name} has ${this.#underWay} calls under way`);
    }
  }

  leave(): void {
    this.#underWay--;
  }

  /** A task's source is the one that its payload came from, or unknown. */
  checkSource(item: Item, source: SourceRef | undefined): void {
    if (source === undefined) return;
    const { shape, world } = this.#run.process.simulation;
    const key = keyOf(shape, item.source);
    if (source.id !== key || source.version !== versionText(shape, item.version)) {
      world.violate("attribution", `${this.#stage.name} got ${key} as a task of ${source.id}`);
    }
  }
}
