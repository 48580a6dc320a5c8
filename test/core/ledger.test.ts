import { describe, expect, test } from "vitest";
import type { Fact } from "../../core/fact.ts";
import { Ledger } from "../../core/ledger.ts";
import { model } from "./ledger_model.ts";

const SOURCE = "s";
const opened: Fact = { kind: "opened", source: SOURCE };
const drained = (...path: number[]): Fact => ({ kind: "drained", source: SOURCE, path });
const expanded = (children: number, ...path: number[]): Fact => ({
  kind: "expanded",
  source: SOURCE,
  path,
  children,
});

/** A source into three, each through a one-to-one stage into the sink. */
const THREE_WAYS: readonly Fact[] = [
  opened,
  expanded(3),
  ...[0, 1, 2].flatMap((i) => [expanded(1, i), drained(i, 0)]),
];

function* permutations<T>(items: readonly T[]): Generator<T[]> {
  if (items.length <= 1) {
    yield [...items];
    return;
  }
  for (let i = 0; i < items.length; i++) {
    for (const rest of permutations(items.toSpliced(i, 1))) yield [items[i]!, ...rest];
  }
}

interface Tally {
  orders: number;
  early: number;
  wrong: number;
  missed: number;
}

/**
 * Feeds `facts` in every order. `isDone` says whether the facts so far drain the source, which
 * the naive model decides.
 */
function everyOrder(facts: readonly Fact[]): Tally {
  const tally = { orders: 0, early: 0, wrong: 0, missed: 0 };
  const atEnd = model(facts, SOURCE).complete;
  for (const order of permutations(facts)) {
    tally.orders++;
    const ledger = new Ledger();
    let early = false;
    for (let i = 0; i < order.length; i++) {
      ledger.apply([order[i]!]);
      if (ledger.isComplete(SOURCE) && !model(order.slice(0, i + 1), SOURCE).complete) early = true;
    }
    if (early) tally.early++;
    if (ledger.isComplete(SOURCE) && !atEnd) tally.wrong++;
    if (!ledger.isComplete(SOURCE) && atEnd) tally.missed++;
  }
  return tally;
}

describe("a three-way fan-out in every arrival order", () => {
  test("all drained: never early, never missed in 40,320 orders", () => {
    expect(everyOrder(THREE_WAYS)).toEqual({ orders: 40_320, early: 0, wrong: 0, missed: 0 });
  });

  test("one child failed: never complete in 5,040 orders", () => {
    const facts = THREE_WAYS.filter((f) => !(f.kind === "drained" && f.path[0] === 1));
    expect(facts).toHaveLength(7);
    expect(everyOrder(facts)).toEqual({ orders: 5_040, early: 0, wrong: 0, missed: 0 });
  });

  test("one child failed and a fact repeated: never complete in 40,320 orders", () => {
    const facts = THREE_WAYS.filter((f) => !(f.kind === "drained" && f.path[0] === 1));
    for (const repeated of facts) {
      expect(everyOrder([...facts, repeated])).toEqual({
        orders: 40_320,
        early: 0,
        wrong: 0,
        missed: 0,
      });
    }
  }, 120_000);

  test("any one fact lost: never complete", () => {
    for (let lost = 0; lost < THREE_WAYS.length; lost++) {
      expect(everyOrder(THREE_WAYS.toSpliced(lost, 1))).toEqual({
        orders: 5_040,
        early: 0,
        wrong: 0,
        missed: 0,
      });
    }
  });

  test("any one fact repeated: never early, never missed in 362,880 orders", () => {
    for (const repeated of [expanded(3), drained(0, 0)]) {
      expect(everyOrder([...THREE_WAYS, repeated])).toEqual({
        orders: 362_880,
        early: 0,
        wrong: 0,
        missed: 0,
      });
    }
  }, 300_000);

  test("a fan-out retried with another count: never complete on the mixture", () => {
    // The mixture contradicts itself, so whatever is complete before the second count is undone.
    for (const count of [1, 2, 4]) {
      const facts = [...THREE_WAYS, expanded(count)];
      let wrong = 0;
      let silent = 0;
      for (const order of permutations(facts)) {
        const ledger = new Ledger();
        const changes = order.flatMap((fact) => ledger.apply([fact]));
        if (ledger.isComplete(SOURCE)) wrong++;
        const completed = changes.some((c) => c.kind === "completed");
        const undone = changes.some((c) => c.kind === "contradicted" && c.wasComplete);
        if (completed !== undone) silent++;
      }
      expect({ count, wrong, silent }).toEqual({ count, wrong: 0, silent: 0 });
    }
  }, 300_000);
});
