import type fc from "fast-check";

const given = typeof process === "object" ? process.env["TIDEMARK_SEED"] : undefined;

/** The seed of this run's randomised tests. Set `TIDEMARK_SEED` to repeat one. */
export const SEED: number = given === undefined
  ? Math.floor(Math.random() * 2 ** 31)
  : Number(given);

/** Settings of a property: fast-check prints the seed of a failure, and this takes it back. */
export function settings(numRuns: number): fc.Parameters<unknown> {
  return { numRuns, seed: SEED, interruptAfterTimeLimit: 60_000, markInterruptAsFailure: false };
}
