import { describe, expect, test } from "vitest";
import { pipeline, type RunEvent } from "../../mod.ts";

describe("a stage's results", () => {
  test("undefined from a map is an error that says what to return", async () => {
    const { failures } = await pipeline("p").source([1]).map(() => undefined).sink(() => {}).run();
    expect(failures[0]!.reason).toMatch(/return null to filter/);
  });

  test("undefined from a filter is an error that says what to return", async () => {
    const forgetful = [() => undefined, async () => undefined] as unknown as (() => boolean)[];
    for (const fn of forgetful) {
      const { failures } = await pipeline("p").source([1]).filter(fn, { name: "big" })
        .sink(() => {}).run();
      expect(failures[0]!.reason).toBe(
        `stage "big" returned undefined: return true to keep the value, or false`,
      );
    }
  });

  test("a filter keeps what counts as true and drops what does not", async () => {
    const got: unknown[] = [];
    await pipeline("p").source([0, 1, "", "a", NaN, {}, []], { id: JSON.stringify })
      .filter((x) => x as boolean).sink((x) => void got.push(x)).run();
    expect(got).toEqual([1, "a", {}, []]);
  });

  test("a thrown error fails its task alone, and its source is not complete", async () => {
    const got: number[] = [];
    const { sources, failures } = await pipeline("p")
      .source([1, 2, 3], { id: (n) => `s${n}` })
      .map((n) => {
        if (n === 2) throw new Error("two!");
        return n;
      }, { name: "picky" })
      .sink((n) => void got.push(n))
      .run();
    expect(sources).toMatchObject({ completed: 2, failed: 1 });
    expect(failures).toEqual([{ stage: "picky", source: "s2", task: "0_s2", reason: "two!" }]);
    expect(got).toEqual([1, 3]);
  });

  test("an empty fan-out drains its task", async () => {
    const { sources } = await pipeline("p").source([1, 2]).flatMap((n) => (n === 1 ? [] : [n]))
      .sink(() => {}).run();
    expect(sources.completed).toBe(2);
  });

  test("a fan-out that breaks off keeps its source open", async () => {
    const { sources } = await pipeline("p").source([1])
      .flatMap(async function* () {
        yield 1;
        throw new Error("torn");
      })
      .sink(() => {})
      .run();
    expect(sources).toMatchObject({ completed: 0, failed: 1 });
  });

  test("a text is not a list of letters", async () => {
    const { failures } = await pipeline("p").source(["ab"]).flatMap((s) => s as unknown as string[])
      .sink(() => {}).run();
    expect(failures[0]!.reason).toMatch(/returned string: return a list/);
  });

  test("a batch whose results break fails, and is tried again", async () => {
    let calls = 0;
    const breaking = (attempts: number) =>
      pipeline("p").source([1, 2], { id: String }).batch(2, function* (ns) {
        yield* ns.slice(1);
        if (++calls < 3) throw new Error("broke");
        yield ns[0]!;
      }, { retry: { attempts, delay: 1 } }).sink(() => {}).run();
    const once = await breaking(1);
    expect(once.sources).toMatchObject({ failed: 2, pending: 0 });
    expect(once.failures[0]!.reason).toBe("broke");
    expect((await breaking(2)).sources.completed).toBe(2);
  });

  test("a list that breaks among results that cannot be attributed fails the batch", async () => {
    const report = await pipeline("p").source([1, 2], { id: String }).flatBatch(2, async () => [
      (function* () {
        yield 1;
        throw new Error("broke");
      })(),
    ]).sink(() => {}).run();
    expect(report.sources).toMatchObject({ failed: 2, pending: 0 });
  });

  test("results that cannot be attributed travel on, also out of a generator", async () => {
    const got: unknown[] = [];
    const report = await pipeline("p").source([1, 2], { id: String }).batch(2, function* () {
      yield "a";
      yield "b";
      yield "c";
    }).sink((x) => void got.push(x)).run();
    expect(got).toEqual(["a", "b", "c"]);
    expect(report.sources).toMatchObject({ completed: 0, pending: 2 });
  });

  test("a batch that answers with another number of results is not attributed", async () => {
    const seen: (readonly [string, unknown])[] = [];
    const warnings: RunEvent[] = [];
    const { sources } = await pipeline("p").source(["a", "b", "c"], { id: (s) => s })
      .batch(3, () => [1, 2])
      .sink((_, c) => void seen.push([c.id, c.source]))
      .run({ onEvent: (e) => e.type === "warning" && warnings.push(e) });
    expect(seen).toHaveLength(2);
    for (const [id, source] of seen) {
      expect(id).toMatch(/^r[0-9a-f]{32}$/);
      expect(source).toBeUndefined();
    }
    expect(sources).toMatchObject({ completed: 0, failed: 0, pending: 3 });
    expect(warnings).toHaveLength(1);
  });

  test("[A→nothing, B→b1,b2] goes to the right sources, or to none", async () => {
    const source = pipeline("p").source(["A", "B"], { id: (s) => s });
    const by: Record<string, number[]> = {};
    const sink = (n: number, c: { source: { id: string } | undefined }) => {
      (by[String(c.source?.id)] ??= []).push(n);
    };
    const lists = await source.flatBatch(2, () => [[], [1, 2]]).sink(sink).run();
    expect(by).toEqual({ B: [1, 2] });
    expect(lists.sources.completed).toBe(2);
    const flat = await source.flatBatch(2, () => [3, 4] as unknown as number[][]).sink(sink).run();
    expect(by).toEqual({ B: [1, 2], undefined: [3, 4] });
    expect(flat.sources).toMatchObject({ completed: 0, pending: 2 });
  });

  test("a fan-out is streamed: children are asked for as the next stage takes them", async () => {
    let asked = 0;
    let most = 0;
    let taken = 0;
    await pipeline("p").source([1])
      .flatMap(function* () {
        for (let i = 0; i < 10_000; i++) {
          asked++;
          most = Math.max(most, asked - taken);
          yield i;
        }
      })
      .map(async (n) => {
        await Promise.resolve();
        taken++;
        return n;
      }, { concurrency: 4 })
      .sink(() => {})
      .run();
    expect(taken).toBe(10_000);
    expect(most).toBeLessThanOrEqual(16);
  });
});
