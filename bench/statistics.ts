/** One value over all rounds. */
export interface Summary {
  readonly median: number;
  readonly min: number;
  readonly max: number;
  /** In the order of the rounds. */
  readonly values: readonly number[];
}

/** The value below which `share` of the values are. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

/** The middle and the spread of a value's measurements. */
export function summarize(values: readonly number[]): Summary {
  return {
    median: quantile(values, 0.5),
    min: Math.min(...values),
    max: Math.max(...values),
    values,
  };
}

/**
 * How many times the baseline's values these are: the middle of the ratios of each round, so
 * that a slow moment of the machine touches both sides.
 */
export function ratioTo(baseline: Summary, { values }: Summary): number {
  return quantile(values.map((value, round) => value / baseline.values[round]!), 0.5);
}
