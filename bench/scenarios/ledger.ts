import { type Fact, Ledger } from "../../mod.ts";
import { liveMemory } from "../process.ts";
import {
  type Contender,
  type Figures,
  NOT_WRITTEN,
  type Scenario,
  type Subject,
} from "../scenario.ts";
import { sourceName } from "../source_names.ts";

const BATCH = 4_096;
const QUICK_FACTS = 100_000;
const FULL_FACTS = 2_000_000;

/** How a source's tree branches, level by level. */
const SHAPES: Readonly<Record<string, readonly number[]>> = {
  "wide fan-out: 1,000 children": [1_000],
  "one-to-one chain: 4 deep": [1, 1, 1, 1],
  "two levels: 100 × 10": [100, 10],
};

/** What is told of a source, parents before children: the same to every contender. */
function* factsOf(source: string, levels: readonly number[]): Generator<Fact> {
  yield { kind: "opened", source };
  yield* factsBelow(source, levels, []);
}

function* factsBelow(
  source: string,
  levels: readonly number[],
  path: readonly number[],
): Generator<Fact> {
  const children = levels[path.length];
  if (children === undefined) {
    yield { kind: "drained", source, path };
    return;
  }
  yield { kind: "expanded", source, path, children };
  for (let i = 0; i < children; i++) yield* factsBelow(source, levels, [...path, i]);
}

/** Something that is told facts. */
interface Account {
  take(facts: readonly Fact[]): void;
}

class LedgerAccount implements Account {
  readonly #ledger = new Ledger();

  take(facts: readonly Fact[]): void {
    this.#ledger.apply(facts);
  }
}

/**
 * The counter per source of NeMo Curator, and what has been counted, so that a repeated fact
 * is not counted twice. It is right only when facts come in order.
 */
class NaiveCounter implements Account {
  readonly #pending = new Map<string, number>();
  readonly #counted = new Map<string, number>();

  take(facts: readonly Fact[]): void {
    for (const fact of facts) {
      const { source } = fact;
      const key = fact.kind === "opened" ? source : `${source}_${fact.path.join("_")}`;
      const change = fact.kind === "opened" ? 1 : fact.kind === "drained" ? -1 : fact.children - 1;
      if (fact.kind !== "opened" && this.#counted.has(key)) continue;
      if (fact.kind !== "opened") this.#counted.set(key, change);
      this.#pending.set(source, (this.#pending.get(source) ?? 0) + change);
    }
  }
}

const ACCOUNTS: Readonly<Record<string, () => Account>> = {
  "two maps": () => new NaiveCounter(),
  "ledger": () => new LedgerAccount(),
};

class Feeding implements Subject {
  readonly durability = NOT_WRITTEN;
  readonly #make: () => Account;
  readonly #levels: readonly number[];
  readonly #sources: number;
  readonly #facts: readonly Fact[];
  readonly #batches: readonly (readonly Fact[])[];

  constructor(make: () => Account, levels: readonly number[], least: number) {
    this.#make = make;
    this.#levels = levels;
    this.#sources = Math.ceil(least / [...factsOf("", levels)].length);
    const facts: Fact[] = [];
    for (let i = 0; i < this.#sources; i++) facts.push(...factsOf(sourceName(i), levels));
    this.#facts = facts;
    this.#batches = Array.from(
      { length: Math.ceil(facts.length / BATCH) },
      (_, i) => facts.slice(i * BATCH, (i + 1) * BATCH),
    );
  }

  async round(): Promise<Figures> {
    return {
      singly: this.#rate(this.#facts.map((fact) => [fact])),
      batched: this.#rate(this.#batches),
      ...this.#kept(),
    };
  }

  #rate(batches: readonly (readonly Fact[])[]): number {
    const account = this.#make();
    const began = performance.now();
    for (const batch of batches) account.take(batch);
    return (this.#facts.length * 1_000) / (performance.now() - began);
  }

  /** What is kept per drained leaf, before each source's last leaf drains and after. */
  #kept(): Figures {
    const leaves = this.#sources * this.#levels.reduce((product, n) => product * n, 1);
    const before = liveMemory();
    const account = this.#make();
    for (let i = 0; i < this.#sources; i++) {
      account.take([...factsOf(sourceName(i), this.#levels)].slice(0, -1));
    }
    const open = liveMemory() - before;
    for (let i = 0; i < this.#sources; i++) {
      account.take([...factsOf(sourceName(i), this.#levels)].slice(-1));
    }
    const complete = liveMemory() - before;
    // It is in use until here.
    account.take([]);
    return { open: open / leaves, complete: complete / leaves };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** How fast facts are taken in, and what is kept of them. */
export const ledger: Scenario = {
  name: "ledger",
  summary: "facts per second and live bytes per drained leaf, beside a counter in two maps that " +
    "is right only in order",
  usesStores: false,
  columns: [
    { key: "singly", title: "facts singly", unit: "1/s", compared: true },
    { key: "batched", title: `in batches of ${BATCH.toLocaleString("en")}`, unit: "1/s" },
    { key: "open", title: "before the last leaf", unit: "bytes/leaf" },
    { key: "complete", title: "after it", unit: "bytes/leaf" },
  ],
  contests: ({ full }) =>
    Object.keys(SHAPES).map((shape) => {
      const parameters = { shape, facts: full ? FULL_FACTS : QUICK_FACTS };
      return {
        name: shape,
        contenders: Object.keys(ACCOUNTS).map((name): Contender => ({ name, parameters })),
        baselines: ["two maps"],
      };
    }),
  open: async ({ contender, parameters: { shape, facts } }) =>
    new Feeding(ACCOUNTS[contender]!, SHAPES[shape!]!, Number(facts)),
};
