import { Union } from "../../mod.ts";
import {
  type Contender,
  type Figures,
  NOT_WRITTEN,
  type Scenario,
  type Subject,
} from "../scenario.ts";
import { completions, sourceName } from "../source_names.ts";

const SOURCES = 1_000_000;
/** Ids are made anew for each look-up, as a listing does, and in another order. */
const LOOKUPS = 100_000;
const STRIDE = 7_919;
const VERSION = "size 1024, modified 1700000000000";

/** What is asked. */
interface Known {
  isComplete(source: string, version?: string): boolean;
}

function bareMap(versions: ReadonlyMap<string, string | undefined>): Known {
  return {
    isComplete: (source, version) =>
      versions.has(source) && (version === undefined || versions.get(source) === version),
  };
}

function makeKnown(contender: string): Known {
  const union = new Union();
  const map = new Map<string, string | undefined>();
  completions(0, SOURCES, "bench").forEach((record, number) => {
    // Every second one has a version, so that both kinds are in the same union.
    const version = number % 2 === 1 ? { version: VERSION } : {};
    if (contender === "union") union.add({ ...record, ...version });
    else map.set(record.source, version.version);
  });
  return contender === "union" ? union : bareMap(map);
}

class LookingUp implements Subject {
  readonly durability = NOT_WRITTEN;
  readonly #known: Known;

  constructor(known: Known) {
    this.#known = known;
  }

  async round(): Promise<Figures> {
    return {
      hits: this.#rate(0, 1, undefined, LOOKUPS),
      misses: this.#rate(SOURCES, 1, undefined, 0),
      // Odd numbers are those with a version.
      versions: this.#rate(1, 2, VERSION, LOOKUPS),
    };
  }

  /** Look-ups per second among the numbers from `start` on in steps of `step`. */
  #rate(start: number, step: number, version: string | undefined, expected: number): number {
    const ids = Array.from(
      { length: LOOKUPS },
      (_, i) => sourceName(start + step * ((i * STRIDE) % (SOURCES / step))),
    );
    const began = performance.now();
    let found = 0;
    for (const id of ids) if (this.#known.isComplete(id, version)) found++;
    const time = performance.now() - began;
    if (found !== expected) throw new Error(`${found} of ${expected} sources were complete`);
    return (LOOKUPS * 1_000) / time;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** How fast a run can tell what to skip. */
export const lookup: Scenario = {
  name: "lookup",
  summary: "isComplete() per second in a union of 1,000,000 ids, beside a bare map",
  usesStores: false,
  columns: [
    { key: "hits", title: "hits", unit: "1/s", compared: true },
    { key: "misses", title: "misses", unit: "1/s" },
    { key: "versions", title: "with versions", unit: "1/s" },
  ],
  contests: () => [{
    name: "1,000,000 ids",
    contenders: ["bare map", "union"].map((name): Contender => ({ name, parameters: {} })),
    baselines: ["bare map"],
  }],
  open: async ({ contender }) => new LookingUp(makeKnown(contender)),
};
