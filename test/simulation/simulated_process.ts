import type { Owner } from "./event_queue.ts";
import type { RunWatch } from "./run_watch.ts";
import type { SimulatedStore } from "./simulated_store.ts";
import type { Simulation } from "./simulation.ts";
import { latencyOf } from "./weather.ts";

/**
 * One process: what a crash ends. All that it waits for are events of the world, so that a
 * crash can find it at any await.
 */
export class SimulatedProcess implements Owner {
  readonly name: string;
  readonly simulation: Simulation;
  /** The run that is under way, or was last. */
  run: RunWatch | undefined;
  /** A store that it opened itself and gives to its runs, one after the other. */
  ownStore: SimulatedStore | undefined;
  /** How many runs its lane still has, this one included. */
  runsLeft = 0;
  isAlive = true;
  /** How often in a row its appends were refused. */
  refusals = 0;
  /** Its disk takes nothing any more. */
  isDiskFull = false;
  /** Milliseconds that it spent computing, on top of the world's clock. */
  cpu = 0;

  constructor(name: string, simulation: Simulation) {
    this.name = name;
    this.simulation = simulation;
  }

  get latency(): number {
    const { weather, world } = this.simulation;
    return latencyOf(weather.latency, world.random);
  }

  /** Resolves when the world comes to it. */
  pause(label: string): Promise<void> {
    return new Promise((resolve) =>
      this.simulation.world.schedule(this, this.latency, label, resolve)
    );
  }

  /**
   * Does something durable. A crash on the way to it leaves it done or not, and one after it
   * leaves it done without anybody being told.
   */
  async effect(label: string, effect: () => void): Promise<void> {
    const { world } = this.simulation;
    await new Promise<void>((resolve) => {
      const atCrash = () => {
        if (world.chance(0.5)) effect();
      };
      world.schedule(this, this.latency, label, () => {
        effect();
        resolve();
      }, atCrash);
    });
    if (world.chance(0.5)) await this.pause(`${label} done`);
  }

  crash(): void {
    this.isAlive = false;
    this.simulation.world.crash(this);
  }
}
