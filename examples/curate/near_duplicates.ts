import { bandKey, PERMUTATIONS, similarity } from "./fingerprint.ts";

/** How alike two passages must be to count as near duplicates. */
export const ALIKE = 0.8;

const BANDS = 16;
const ROWS: number = PERMUTATIONS / BANDS;

/**
 * Groups of passages, by their index, that are near duplicates of one another: candidates share
 * a band of their signatures (locality-sensitive hashing; 16 bands of 8 find a pair that is 0.8
 * alike with a probability of 95 %), and their signatures are compared.
 */
export function nearDuplicates(signatures: readonly Uint32Array[]): number[][] {
  const parent = signatures.map((_, i) => i);
  const rootOf = (i: number): number => {
    while (parent[i] !== i) i = parent[i] = parent[parent[i]!]!;
    return i;
  };
  for (let band = 0; band < BANDS; band++) {
    const first = new Map<number, number>();
    for (const [i, signature] of signatures.entries()) {
      const key = bandKey(signature, band * ROWS, (band + 1) * ROWS);
      const other = first.get(key);
      if (other === undefined) first.set(key, i);
      else if (similarity(signature, signatures[other]!) >= ALIKE) {
        parent[rootOf(i)] = rootOf(other);
      }
    }
  }
  const groups = Map.groupBy(parent.keys(), rootOf);
  return [...groups.values()].filter((group) => group.length > 1).sort((a, b) =>
    b.length - a.length
  );
}
