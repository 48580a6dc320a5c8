import { Checkpoint } from "../../core/checkpoint.ts";
import type { Fact } from "../../core/fact.ts";
import { sourceOf } from "./record_checks.ts";
import type { RunWatch } from "./run_watch.ts";
import { keyOf, outcomeOf } from "./shape.ts";
import { SimulatedProcess } from "./simulated_process.ts";
import type { World } from "./world.ts";

/** How many facts are remembered to be repeated later. */
const REMEMBERED = 64;

/**
 * Stands between every run and its owner while it is installed: sees what the run states,
 * and does to facts on their way what a network would do.
 */
export class OwnerSpy implements Disposable {
  readonly #world: World;
  readonly #real: Pick<Checkpoint, "apply" | "record">;
  readonly #runs = new WeakMap<Checkpoint, RunWatch>();
  readonly #owners = new WeakMap<RunWatch, Checkpoint>();
  readonly #remembered = new WeakMap<RunWatch, Fact[]>();

  constructor(world: World) {
    this.#world = world;
    const { apply, record } = Checkpoint.prototype;
    this.#real = { apply, record };
    const runOf = (owner: Checkpoint) => this.#runOf(owner);
    const pass = (owner: Checkpoint, fact: Fact) => this.#pass(owner, fact);
    Checkpoint.prototype.apply = function (this: Checkpoint, facts: Iterable<Fact>): string[] {
      return [...facts].flatMap((fact) => pass(this, fact));
    };
    Checkpoint.prototype.record = function (this: Checkpoint, source, state, details) {
      const isTaken = state !== "complete" || this.isDrained(source);
      const isKnown = this.areComplete([{ id: source, ...pickVersion(details?.version) }])[0]!;
      runOf(this)?.states(source, state, isTaken, isKnown);
      return record.call(this, source, state, details);
    };
  }

  [Symbol.dispose](): void {
    Object.assign(Checkpoint.prototype, this.#real);
  }

  /** Delivers a fact that contradicts others about one of the run's open sources. */
  stray(run: RunWatch): void {
    const { shape, weather } = run.process.simulation;
    const owner = this.#owners.get(run);
    if (owner === undefined || run.open.size === 0 || weather.facts === "lost") return;
    const source = this.#world.pick([...run.open]);
    const key = keyOf(shape, source);
    this.#world.count("strays");
    this.#world.note(run.process.name, `is told wrong things about ${key}`);
    run.stray(source);
    const first = shape.stages[0];
    const outcome = first &&
      outcomeOf(first, { source, version: run.versionOf(source), trail: "" });
    const isFanOut = first?.kind === "flatMap" || first?.kind === "flatBatch";
    const truth = outcome === undefined || (!isFanOut && outcome[0] === null) ? 0 : outcome.length;
    // While other facts are late, only a count that no child can fill gives it away in time.
    const counts = weather.facts === "delayed" ? [1_000] : [1, 2, 3, 4, 5, 1_000];
    const children = this.#world.pick(counts.filter((n) => n !== truth));
    this.#real.apply.call(owner, [{ kind: "expanded", source: key, path: [], children }]);
  }

  /** The run whose owner it is: the one that uses it first. */
  #runOf(owner: Checkpoint): RunWatch | undefined {
    const known = this.#runs.get(owner);
    if (known !== undefined) return known;
    const { current } = this.#world;
    const run = current instanceof SimulatedProcess ? current.run : undefined;
    if (run === undefined) return undefined;
    this.#runs.set(owner, run);
    this.#owners.set(run, owner);
    this.#remembered.set(run, []);
    return run;
  }

  #pass(owner: Checkpoint, fact: Fact): string[] {
    const run = this.#runOf(owner);
    const deliver = (f: Fact) => this.#real.apply.call(owner, [f]);
    if (run === undefined || fact.kind === "opened") return deliver(fact);
    const { simulation } = run.process;
    const { facts, factFault } = simulation.weather;
    const source = sourceOf(simulation, fact.source)!;
    const isHit = facts !== "sound" && this.#world.chance(factFault);
    if (isHit && facts === "lost") {
      this.#world.count("factsLost");
      return [];
    }
    if (isHit && facts === "delayed") {
      this.#world.count("factsDelayed");
      this.#world.schedule(run.process, run.process.latency, "a fact arrives late", () => {
        if (run.open.has(source)) deliver(fact);
      });
      return [];
    }
    const completed = deliver(fact);
    if (facts === "repeated") this.#repeat(run, fact, isHit, deliver);
    return completed;
  }

  #repeat(run: RunWatch, fact: Fact, isHit: boolean, deliver: (fact: Fact) => void): void {
    const remembered = this.#remembered.get(run)!;
    if (remembered.length < REMEMBERED) remembered.push(fact);
    else remembered[this.#world.below(REMEMBERED)] = fact;
    if (!isHit) return;
    const again = this.#world.pick(remembered);
    if (!run.open.has(sourceOf(run.process.simulation, again.source)!)) return;
    this.#world.count("factsRepeated");
    deliver(again);
  }
}

function pickVersion(version: string | undefined): { version?: string } {
  return version === undefined ? {} : { version };
}
