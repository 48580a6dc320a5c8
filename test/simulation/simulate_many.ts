import { BUGS } from "./bugs.ts";
import { type Counts, type Covered, noCounts } from "./coverage.ts";
import { simulate } from "./simulate.ts";
import type { Violation } from "./world.ts";

/** What came of many seeds. */
export interface Summary {
  readonly firstSeed: number;
  readonly seeds: number;
  readonly steps: number;
  readonly crashes: number;
  readonly violations: readonly (Violation & { readonly seed: number })[];
  /** The most sources that one crash made run again. */
  readonly mostRepeated: number;
  /** A fingerprint of the logs of all seeds. */
  readonly hash: string;
  readonly seconds: number;
  /** How often each thing happened. */
  readonly counts: Counts;
  /** In how many seeds it did. */
  readonly reached: Counts;
}

/** Options of {@link simulateMany}. */
export interface SimulateManyOptions {
  /** Is given everything that happened, seed by seed. */
  readonly onLines?: ((lines: readonly string[]) => void) | undefined;
}

/** After so many seeds with a violation there is enough to look at. */
const ENOUGH = 10;

/** Runs seeds one after the other, and adds up. */
export async function simulateMany(
  firstSeed: number,
  seeds: number,
  { onLines }: SimulateManyOptions = {},
): Promise<Summary> {
  const began = performance.now();
  const counts = noCounts();
  const reached = noCounts();
  const violations: Summary["violations"][number][] = [];
  const bad = new Set<number>();
  let steps = 0;
  let mostRepeated = 0;
  let hash = 0x811c9dc5;
  let done = 0;
  for (; done < seeds && bad.size < ENOUGH; done++) {
    const seed = firstSeed + done;
    const outcome = await simulate(seed, onLines !== undefined);
    steps += outcome.steps;
    mostRepeated = Math.max(mostRepeated, outcome.mostRepeated);
    hash = Math.imul(hash ^ Number.parseInt(outcome.hash, 16), 0x01000193);
    for (const name of Object.keys(counts) as Covered[]) {
      counts[name] += outcome.counts[name];
      if (outcome.counts[name] > 0) reached[name]++;
    }
    for (const violation of outcome.violations) {
      violations.push({ seed, ...violation });
      bad.add(seed);
    }
    onLines?.(outcome.lines);
  }
  return {
    firstSeed,
    seeds: done,
    steps,
    crashes: counts.crashes,
    violations,
    mostRepeated,
    hash: (hash >>> 0).toString(16).padStart(8, "0"),
    seconds: (performance.now() - began) / 1_000,
    counts,
    reached,
  };
}

/** When a bug that was put in is found. */
export interface BugFound {
  readonly name: string;
  /** Seeds tried until it was found, that one included. */
  readonly seeds: number;
  /** The last seed that was tried. */
  readonly seed: number;
  /** Undefined: it was not found. */
  readonly violation: Violation | undefined;
}

/** Puts a bug in and tries seeds until one finds it by the check that one would expect. */
export async function findBug(name: string, firstSeed: number, most: number): Promise<BugFound> {
  const undo = BUGS[name]!.install();
  try {
    for (let seeds = 1;; seeds++) {
      const seed = firstSeed + seeds - 1;
      const { violations } = await simulate(seed);
      const violation = violations.find((v) => v.check === BUGS[name]!.check);
      if (violation !== undefined || seeds >= most) return { name, seeds, seed, violation };
    }
  } finally {
    undo();
  }
}
