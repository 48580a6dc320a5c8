/** The harness of the mutant that the module's query names; of the sound store without one. */
import { LogStore } from "../../examples/log_store/log_store.ts";
import type { Harness } from "../conformance/mod.ts";
import { appendMutants } from "./append_mutants.ts";
import { killMutants } from "./kill_mutants.ts";
import { lifeMutants } from "./life_mutants.ts";
import type { Mutant } from "./mutant.ts";
import { readMutants } from "./read_mutants.ts";

/** Every mutant by its name. */
export const MUTANTS: ReadonlyMap<string, Mutant> = new Map(
  Object.entries({ ...appendMutants, ...readMutants, ...lifeMutants, ...killMutants }),
);

/** The harness of a mutant; of the sound store without one. */
export function harnessOf(name: string, mutant: Mutant | undefined): Harness {
  const files = mutant?.memory !== true;
  return {
    name,
    capabilities: { durable: files, shared: true, files },
    ...(files ? { module: new URL(`?${name}`, import.meta.url).href } : {}),
    open: (directory, options) =>
      mutant === undefined
        ? LogStore.open(directory, options.onWarning)
        : mutant.open(directory, options),
  };
}

const name = new URL(import.meta.url).search.slice(1);

const harness: Harness = harnessOf(name, MUTANTS.get(name));

export default harness;
