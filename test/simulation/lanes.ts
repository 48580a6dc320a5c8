import { initialTasks, pipelineFor } from "./stages.ts";
import type { OwnerSpy } from "./owner_spy.ts";
import { type RunPlan, RunWatch } from "./run_watch.ts";
import type { Item } from "./shape.ts";
import { SimulatedProcess } from "./simulated_process.ts";
import { SimulatedStore } from "./simulated_store.ts";
import type { Simulation } from "./simulation.ts";

/** The most runs that one lane has before the last phase. */
const RUNS_PER_LANE = 5;

/** The processes of a simulation: lanes in which one follows another, several at once. */
export class Lanes {
  readonly #simulation: Simulation;
  readonly #spy: OwnerSpy;
  readonly #running = new Set<RunWatch>();
  #processes = 0;
  /** Lanes that have not come to their end. */
  #busy = 0;
  /** The most sources that one crash made run again. */
  mostRepeated = 0;

  constructor(simulation: Simulation, spy: OwnerSpy) {
    this.#simulation = simulation;
    this.#spy = spy;
  }

  /** Processes that crash, fail, are stopped and start again. */
  async runFaulty(): Promise<void> {
    const { world } = this.#simulation;
    const lanes = world.pick([1, 1, 2, 2, 3, 4]);
    if (lanes > 1) world.count("severalWriters");
    for (let lane = 0; lane < lanes; lane++) {
      const runs = 1 + world.below(RUNS_PER_LANE);
      this.#busy++;
      world.schedule(undefined, world.random() * 20, `lane ${lane} starts`, () => {
        this.#start(undefined, runs, this.#faultyPlan());
      });
    }
    await this.#run(() => this.#misfortune());
  }

  /** So many processes at once with all sources, in which nothing goes wrong. */
  async runClean(processes: number): Promise<void> {
    for (let i = 0; i < processes; i++) {
      this.#busy++;
      this.#start(undefined, 1, this.#cleanPlan());
    }
    await this.#run(() => {});
  }

  /** A run that finds everything done. */
  async runIdle(): Promise<void> {
    const { world, history } = this.#simulation;
    if (world.violations.length > 0) return;
    const before = history.length;
    await this.runClean(1);
    if (history.length > before) world.violate("the end", "a run that had nothing to do did work");
  }

  async #run(afterStep: () => void): Promise<void> {
    const { world } = this.#simulation;
    await world.run(() => this.#busy === 0, afterStep);
    if (this.#busy > 0 && world.violations.length === 0) {
      const names = [...this.#running].map((r) => r.process.name).join(", ");
      world.violate("the end", `nothing is going to happen any more, and ${names} still runs`);
    }
  }

  /** Starts a lane's next run, in the process of the last one or in a new one. */
  #start(last: SimulatedProcess | undefined, runsLeft: number, plan: RunPlan): void {
    const { world, weather } = this.#simulation;
    const process = last ?? new SimulatedProcess(`w${this.#processes++}`, this.#simulation);
    process.runsLeft = runsLeft;
    const run = process.run = new RunWatch(process, plan);
    this.#running.add(run);
    world.note(process.name, `is to run ${JSON.stringify({ ...plan, items: plan.items.length })}`);
    if (last !== undefined) world.count("sameStoreAgain");
    else if (world.chance(0.3)) process.ownStore = new SimulatedStore(process);
    if (world.chance(weather.diskFull)) {
      world.schedule(process, world.random() * 500, "has a full disk from now on", () => {
        process.isDiskFull = true;
        world.count("diskFull");
      });
    }
    world.schedule(process, world.random() * 5, "starts", () => this.#launch(run));
  }

  #launch(run: RunWatch): void {
    const { process, plan } = run;
    const initial = initialTasks(run);
    void pipelineFor(run).run({
      checkpoint: process.ownStore ?? "simulated",
      concurrency: plan.concurrency,
      maxOpenSources: plan.maxOpenSources,
      signal: run.stop.signal,
      failFast: plan.failFast,
      maxFailures: plan.maxFailures,
      onEvent: (event) => run.onEvent(event),
      ...(initial === undefined ? {} : { initialTasks: initial }),
    }).then((report) => run.onReport(report), (error: unknown) => run.onError(error)).then(() => {
      this.#simulation.world.note(process.name, "ends");
      this.#running.delete(run);
      this.#next(process);
    });
  }

  #next(process: SimulatedProcess): void {
    const { world } = this.#simulation;
    const runsLeft = --process.runsLeft;
    if (runsLeft === 0) {
      this.#busy--;
      return;
    }
    this.#changeVersions();
    world.schedule(undefined, world.random() * 50, "the next run starts", () => {
      const isReusable = process.isAlive && process.ownStore !== undefined;
      this.#start(isReusable ? process : undefined, runsLeft, this.#faultyPlan());
    });
  }

  /** After each step: a crash; or a request to stop or a stray fact is on its way. */
  #misfortune(): void {
    const { world, weather } = this.#simulation;
    if (this.#running.size === 0) return;
    const run = world.pick([...this.#running]);
    if (world.chance(weather.crash)) {
      this.#crash(run);
      return;
    }
    if (world.chance(weather.stop)) {
      world.schedule(run.process, 0, "is asked to stop", () => {
        world.count("stops");
        run.stop.abort();
      });
    }
    if (world.chance(weather.stray)) {
      world.schedule(run.process, 0, "gets a stray fact", () => this.#spy.stray(run));
    }
  }

  #crash(run: RunWatch): void {
    this.#running.delete(run);
    run.process.crash();
    const { unfinished, plan } = run;
    this.mostRepeated = Math.max(this.mostRepeated, unfinished);
    if (unfinished > plan.maxOpenSources) {
      this.#simulation.world.violate("bound", `a crash makes ${unfinished} sources run again`);
    }
    this.#next(run.process);
  }

  #faultyPlan(): RunPlan {
    const { world, shape } = this.#simulation;
    const all = this.#items();
    // Positions mean the same sources only as long as the list does not change.
    const isWhole = shape.ids === undefined || world.chance(0.5);
    const items = isWhole ? all : world.shuffled(all).slice(world.below(all.length));
    return {
      items,
      maxOpenSources: 1 + world.below(8),
      concurrency: 1 + world.below(8),
      failFast: world.chance(0.1),
      maxFailures: world.pick(["auto", "auto", "auto", 0, 2, 5]),
      isClean: false,
    };
  }

  #cleanPlan(): RunPlan {
    const { world } = this.#simulation;
    return {
      items: this.#items(),
      maxOpenSources: 1 + world.below(8),
      concurrency: 1 + world.below(8),
      failFast: false,
      maxFailures: 0,
      isClean: true,
    };
  }

  #items(): Item[] {
    return this.#simulation.versions.map((version, source) => ({ source, version, trail: "" }));
  }

  #changeVersions(): void {
    const { world, weather, versions, shape } = this.#simulation;
    if (!shape.isVersioned) return;
    for (let source = 0; source < versions.length; source++) {
      if (world.chance(weather.newVersion)) {
        versions[source]!++;
        world.count("changedVersions");
      }
    }
  }
}
