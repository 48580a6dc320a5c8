import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Fact } from "../../core/fact.ts";
import { Ledger } from "../../core/ledger.ts";
import { settings } from "../property.ts";
import { model } from "./ledger_model.ts";

const SOURCES = ["s", "__proto__"] as const;

interface Tree {
  readonly children: readonly Tree[];
}

const tree = fc.letrec<{ tree: Tree }>((tie) => ({
  tree: fc.record({
    children: fc.oneof(
      { depthSize: "small", withCrossShrink: true },
      fc.constant<Tree[]>([]),
      fc.array(tie("tree"), { maxLength: 4 }),
    ),
  }),
})).tree;

function factsOf(source: string, root: Tree, path: readonly number[] = []): Fact[] {
  if (root.children.length === 0) return [{ kind: "drained", source, path }];
  return [
    { kind: "expanded", source, path, children: root.children.length },
    ...root.children.flatMap((child, i) => factsOf(source, child, [...path, i])),
  ];
}

/** All facts of a source's tree, in an arbitrary order. */
const wholeSource = (source: string): fc.Arbitrary<Fact[]> =>
  tree.chain((root) => {
    const facts: Fact[] = [{ kind: "opened", source }, ...factsOf(source, root)];
    return fc.shuffledSubarray(facts, { minLength: facts.length, maxLength: facts.length });
  });

const path = fc.array(fc.nat({ max: 3 }), { maxLength: 3 });

/** Facts that need not go together. */
const anyFact: fc.Arbitrary<Fact> = fc.constantFrom(...SOURCES).chain((source) =>
  fc.oneof(
    fc.constant<Fact>({ kind: "opened", source }),
    path.map((p): Fact => ({ kind: "drained", source, path: p })),
    fc.tuple(path, fc.nat({ max: 3 })).map(([p, children]): Fact => ({
      kind: "expanded",
      source,
      path: p,
      children,
    })),
  )
);

function ledgerOf(facts: readonly Fact[]): Ledger {
  const ledger = new Ledger();
  ledger.apply(facts);
  return ledger;
}

/** What can be asked of a ledger about both sources. */
function answers(ledger: Ledger): unknown {
  return SOURCES.map((s) => [ledger.isComplete(s), ledger.contradiction(s) !== undefined]);
}

describe("Ledger", () => {
  test("says what the model says after every one of any facts", () => {
    fc.assert(
      fc.property(fc.array(anyFact, { maxLength: 20 }), (facts) => {
        const ledger = new Ledger();
        facts.forEach((fact, i) => {
          ledger.apply([fact]);
          for (const source of SOURCES) {
            const verdict = model(facts.slice(0, i + 1), source);
            expect(ledger.isComplete(source)).toBe(verdict.complete);
            expect(ledger.contradiction(source) !== undefined).toBe(verdict.contradictory);
            const pending = verdict.contradictory ? ledger.pending(source) : verdict.pending;
            expect(ledger.pending(source)).toBe(pending);
          }
        });
      }),
      settings(5_000),
    );
  });

  test("completes with the last fact of a source and not before, in any order", () => {
    fc.assert(
      fc.property(wholeSource("s"), (facts) => {
        const ledger = new Ledger();
        for (const fact of facts.slice(0, -1)) expect(ledger.apply([fact])).toEqual([]);
        expect(ledger.isComplete("s")).toBe(false);
        expect(ledger.apply(facts.slice(-1))).toEqual([{ kind: "completed", source: "s" }]);
        expect(ledger.pending("s")).toBe(0);
      }),
      settings(2_000),
    );
  });

  test("takes a fact twice as once", () => {
    fc.assert(
      fc.property(
        fc.array(anyFact, { maxLength: 20 }),
        fc.infiniteStream(fc.boolean()),
        (facts, twice) => {
          const repeated = facts.flatMap((f) => (twice.next().value ? [f, f] : [f]));
          expect(answers(ledgerOf([...repeated, ...facts]))).toEqual(answers(ledgerOf(facts)));
        },
      ),
      settings(2_000),
    );
  });

  test("does not care about order", () => {
    fc.assert(
      fc.property(fc.array(anyFact, { maxLength: 20 }), (facts) => {
        expect(answers(ledgerOf(facts.toReversed()))).toEqual(answers(ledgerOf(facts)));
      }),
      settings(2_000),
    );
  });

  test("merges by union: as if one ledger had taken all facts", () => {
    const some = fc.array(anyFact, { maxLength: 12 });
    fc.assert(
      fc.property(some, some, (a, b) => {
        const merged = ledgerOf(a);
        merged.merge(ledgerOf(b));
        expect(answers(merged)).toEqual(answers(ledgerOf([...a, ...b])));
      }),
      settings(2_000),
    );
  });

  test("gives its facts back", () => {
    fc.assert(
      fc.property(wholeSource("s"), fc.nat(), (facts, n) => {
        const some = facts.slice(0, n % (facts.length + 1));
        const key = (f: Fact) => JSON.stringify(f);
        expect([...ledgerOf(some).facts()].map(key).toSorted()).toEqual(some.map(key).toSorted());
      }),
      settings(1_000),
    );
  });

  test("reopens a complete source on a fact that clashes, and for good", () => {
    fc.assert(
      fc.property(wholeSource("s"), (facts) => {
        const ledger = ledgerOf(facts);
        const wide: Fact = { kind: "expanded", source: "s", path: [], children: 5 };
        expect(ledger.apply([wide])).toMatchObject([
          { kind: "contradicted", source: "s", wasComplete: true },
        ]);
        ledger.apply(facts);
        expect(ledger.isComplete("s")).toBe(false);
      }),
      settings(500),
    );
  });

  test("rejects what is not a fact, and takes its neighbours", () => {
    const bad = [
      null,
      7,
      "x",
      {},
      { kind: "drained" },
      { kind: "drained", source: "", path: [] },
      { kind: "drained", source: "s", path: [-1] },
      { kind: "drained", source: "s", path: [0.5] },
      { kind: "drained", source: "s", path: "0" },
      { kind: "expanded", source: "s", path: [], children: -1 },
      { kind: "expanded", source: "s", path: [], children: Number.NaN },
      { kind: "shrunk", source: "s", path: [] },
    ];
    const ledger = new Ledger();
    const changes = ledger.apply([
      { kind: "opened", source: "s" },
      ...bad as Fact[],
      { kind: "drained", source: "s", path: [] },
    ]);
    expect(changes.filter((c) => c.kind === "rejected")).toHaveLength(bad.length);
    expect(changes.at(-1)).toEqual({ kind: "completed", source: "s" });
  });

  test("keeps nothing of a source that was forgotten", () => {
    const ledger = ledgerOf([
      { kind: "opened", source: "s" },
      { kind: "drained", source: "s", path: [] },
    ]);
    ledger.forget("s");
    expect(ledger.size).toBe(0);
    expect(ledger.isComplete("s")).toBe(false);
  });

  test("tells children apart in wide fan-outs, whatever shape they have", () => {
    const width = 1_000;
    const shapes = (i: number) => (i % 7 === 0 ? 2 : i > 600 ? 1 : 0);
    const facts: Fact[] = [{ kind: "opened", source: "s" }, {
      kind: "expanded",
      source: "s",
      path: [],
      children: width,
    }];
    for (let i = width - 1; i >= 0; i--) {
      facts.push({ kind: "expanded", source: "s", path: [i], children: shapes(i) });
      for (let j = 0; j < shapes(i); j++) {
        facts.push({ kind: "drained", source: "s", path: [i, j] });
      }
    }
    const ledger = ledgerOf(facts);
    expect(ledger.isComplete("s")).toBe(true);
    expect([...ledger.facts()]).toHaveLength(facts.length);
    expect(ledger.apply(facts)).toEqual([]);
    expect(ledger.apply([{ kind: "expanded", source: "s", path: [994], children: 1 }]))
      .toMatchObject([
        { kind: "contradicted", wasComplete: true },
      ]);
  });
});
