import type { Fact } from "../../core/fact.ts";

/** What a set of facts says about a source. */
export interface Verdict {
  readonly complete: boolean;
  readonly contradictory: boolean;
  readonly pending: number;
}

/**
 * The definition of "complete", word for word and without any regard for cost: what the
 * ledger is tested against.
 */
export function model(facts: readonly Fact[], source: string): Verdict {
  const mine = facts.filter((f) => f.source === source);
  const opened = mine.some((f) => f.kind === "opened");
  const counts = new Map<string, Set<number>>();
  const paths = new Map<string, readonly number[]>();
  for (const fact of mine) {
    if (fact.kind === "opened") continue;
    const key = fact.path.join("/");
    paths.set(key, fact.path);
    const known = counts.get(key) ?? new Set();
    known.add(fact.kind === "drained" ? 0 : fact.children);
    counts.set(key, known);
  }
  let contradictory = [...counts.values()].some((c) => c.size > 1);
  for (const path of paths.values()) {
    for (let depth = 0; depth < path.length; depth++) {
      const ancestor = counts.get(path.slice(0, depth).join("/"));
      if (ancestor !== undefined && [...ancestor].some((n) => path[depth]! >= n)) {
        contradictory = true;
      }
    }
  }
  const isDrained = (path: readonly number[]): boolean => {
    const known = counts.get(path.join("/"));
    if (known === undefined) return false;
    const [children] = known;
    return Array.from({ length: children! }, (_, i) => [...path, i]).every(isDrained);
  };
  const pending = [...counts.values()].reduce((sum, c) => sum + [...c][0]! - 1, opened ? 1 : 0);
  return { complete: opened && !contradictory && isDrained([]), contradictory, pending };
}
