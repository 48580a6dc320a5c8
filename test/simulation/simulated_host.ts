import { TidemarkError } from "../../core/errors.ts";
import type { Host } from "../../core/host.ts";
import type { CheckpointStore } from "../../core/store.ts";
import type { SimulatedProcess } from "./simulated_process.ts";
import { SimulatedStore } from "./simulated_store.ts";

/** Wall-clock time at the start of every world. */
const START = Date.UTC(2026, 0, 1);

/** The platform of a simulated process. */
export function hostOf(process: SimulatedProcess): Host {
  const { world } = process.simulation;
  return {
    now: () => START + world.time,
    elapsed: () => {
      process.cpu += world.random() * 0.5;
      return world.time + process.cpu;
    },
    random: () => world.random(),
    uniqueId: () =>
      Array.from({ length: 4 }, () => world.below(2 ** 32).toString(16).padStart(8, "0")).join(""),
    sleep: (ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) {
          resolve();
          return;
        }
        world.schedule(process, ms, "wakes", resolve);
        signal?.addEventListener("abort", () => resolve(), { once: true });
      }),
    yield: () =>
      new Promise((resolve) => {
        world.count("gaveWay");
        world.schedule(process, world.random(), "has its turn", resolve);
      }),
    openStore: async (config) => {
      if (typeof config === "object" && "append" in config) return config as CheckpointStore;
      const store = new SimulatedStore(process);
      await process.pause("opens the store");
      if (world.chance(process.simulation.weather.openFails)) {
        throw new TidemarkError("CHECKPOINT_OPEN", "simulated: the store cannot be opened");
      }
      return store;
    },
  };
}
