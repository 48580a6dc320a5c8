import { emptyTally, type Tally, type Torture, type TortureOptions } from "./torture.ts";

/** What a scenario is given. */
export interface ScenarioContext extends TortureOptions {
  /** An empty directory. */
  readonly directory: string;
  /** Numbers in [0, 1) that the seed repeats. */
  readonly random: () => number;
}

/** What came of a part of a scenario: of one named point, say. */
export interface ScenarioPart {
  readonly name: string;
  readonly tally: Tally;
  /** How it ended, where that is of interest. */
  readonly note?: string;
}

/** What came of a scenario. */
export interface ScenarioResult {
  readonly tally: Tally;
  readonly parts: readonly ScenarioPart[];
  /** What must not be, in words. */
  readonly failures: readonly string[];
  /** Why it could not run here, or not in full. */
  readonly skipped: readonly string[];
}

/** A way to torture. */
export interface Scenario {
  readonly name: string;
  /** What it does, in half a sentence. */
  readonly summary: string;
  run(context: ScenarioContext): Promise<ScenarioResult>;
}

/** Puts together what several tortures came to. */
export function resultOf(
  tortures: readonly Torture[],
  parts: readonly ScenarioPart[] = [],
  skipped: readonly string[] = [],
): ScenarioResult {
  const tally = emptyTally();
  for (const torture of tortures) {
    for (const key of Object.keys(tally) as (keyof Tally)[]) {
      tally[key] = key === "mostRepeated"
        ? Math.max(tally[key], torture.tally[key])
        : tally[key] + torture.tally[key];
    }
  }
  return { tally, parts, failures: tortures.flatMap(({ failures }) => failures), skipped };
}

/** Whether nothing is wrong with what came of a scenario. */
export function isSound(
  { tally, failures }: ScenarioResult,
  { maxOpen }: Pick<TortureOptions, "maxOpen">,
): boolean {
  const { lost, missing, torn, invented, warnings, crashes, mostRepeated } = tally;
  return lost + missing + torn + invented + warnings + crashes === 0 &&
    mostRepeated <= maxOpen && failures.length === 0;
}
