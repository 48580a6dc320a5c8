import { describe, expect, test } from "vitest";
import { failed, pipeline, RunError, type RunEvent, type Stage } from "../../mod.ts";
import { ScriptedStore, Shelf } from "./scripted_store.ts";

const tick = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

/** The numbers from 0, as sources named by themselves. */
const numbers = (count: number) =>
  pipeline("p").source(() => Array.from({ length: count }, (_, i) => i), { id: String });

describe("maxOpenSources", () => {
  test.each([1, 3, 10])("of %i is never exceeded, records on their way included", async (max) => {
    let open = 0;
    let most = 0;
    const store = new ScriptedStore();
    const report = await numbers(100)
      .flatMap((n) => [n, n])
      .map(async (n) => {
        await tick();
        return n;
      })
      .sink(() => {})
      .run({
        checkpoint: store,
        maxOpenSources: max,
        onEvent: (e) => {
          if (e.type === "source-opened") most = Math.max(most, ++open);
          if (e.type === "source-completed") open--;
        },
      });
    expect(report.sources.completed).toBe(100);
    expect(most).toBe(Math.min(max, 100));
  });

  test("does not wait for ever for a batch that can never fill", async () => {
    const sizes: number[] = [];
    const report = await numbers(10)
      .batch(8, (ns) => (sizes.push(ns.length), ns))
      .batch(4, (ns) => ns)
      .sink(() => {})
      .run({ maxOpenSources: 3 });
    expect(report.sources.completed).toBe(10);
    expect(sizes).toEqual([3, 3, 3, 1]);
  });
});

describe("the order of work", () => {
  test("is depth first: a source is opened only when nothing else can run", async () => {
    const log: string[] = [];
    await numbers(3)
      .flatMap((n) => (log.push(`open ${n}`), [`${n}a`, `${n}b`]))
      .map((s) => (log.push(`map ${s}`), s))
      .sink((s) => void log.push(`sink ${s}`))
      .run();
    expect(log).toEqual([0, 1, 2].flatMap((n) => [
      `open ${n}`,
      `map ${n}a`,
      `sink ${n}a`,
      `map ${n}b`,
      `sink ${n}b`,
    ]));
  });

  test("keeps at most `concurrency` calls of a stage under way", async () => {
    let now = 0;
    let most = 0;
    await numbers(50)
      .map(async (n) => {
        most = Math.max(most, ++now);
        await tick();
        now--;
        return n;
      }, { concurrency: 5 })
      .sink(() => {})
      .run();
    expect(most).toBe(5);
  });

  test("fills batches as long as there is input", async () => {
    const sizes: number[] = [];
    await numbers(10).batch(4, (ns) => (sizes.push(ns.length), ns)).sink(() => {}).run();
    expect(sizes).toEqual([4, 4, 2]);
  });

  test("a slow source does not hold a partly filled batch back", async () => {
    const seen = Promise.withResolvers<void>();
    const report = await pipeline("p")
      .source(async function* () {
        yield 1;
        // The second source comes only after the first one went through the batch.
        await seen.promise;
        yield 2;
      })
      .batch(10, (ns) => (seen.resolve(), ns))
      .sink(() => {})
      .run();
    expect(report.sources.completed).toBe(2);
  });

  test("lets timers have their turn while stages are synchronous", async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const end = performance.now() + 100;
    await pipeline("p").source(function* () {
      for (let n = 0; performance.now() < end; n++) yield n;
    }, { id: String }).map((n) => n).sink(() => {}).run();
    clearInterval(timer);
    expect(turns).toBeGreaterThan(1);
  });
});

describe("retry", () => {
  const flaky = (failures: number) => {
    let calls = 0;
    return (n: number) => {
      if (calls++ < failures) throw new Error(`failure ${calls}`);
      return n;
    };
  };

  test("tries a stage that throws again, and tells", async () => {
    const events: RunEvent[] = [];
    const report = await numbers(1)
      .map(flaky(2), { name: "flaky", retry: { attempts: 3, delay: 1 } })
      .sink(() => {})
      .run({ onEvent: (e) => e.type === "stage-retried" && events.push(e) });
    expect(report.sources.completed).toBe(1);
    expect(events).toMatchObject([
      { stage: "flaky", attempt: 1, reason: "failure 1" },
      { stage: "flaky", attempt: 2, reason: "failure 2" },
    ]);
  });

  test("fails the task after the last attempt", async () => {
    const { failures } = await numbers(1)
      .map(flaky(9), { retry: { attempts: 3, delay: 1 } }).sink(() => {}).run();
    expect(failures[0]!.reason).toBe("failure 3");
  });

  test("takes a fan-out that breaks before its first child again, and no later", async () => {
    let calls = 0;
    const breaking = (at: number) =>
      numbers(1).flatMap(async function* () {
        calls++;
        for (let i = 0; i < 3; i++) {
          if (i === at && calls === 1) throw new Error("torn");
          yield i;
        }
      }, { retry: { attempts: 2, delay: 1 } }).sink(() => {});
    expect((await breaking(0).run()).sources.completed).toBe(1);
    calls = 0;
    expect((await breaking(1).run()).sources).toMatchObject({ completed: 0, failed: 1 });
  });

  test("keeps to the concurrency when the lists of a batch break together", async () => {
    let now = 0;
    let most = 0;
    let calls = 0;
    const report = await numbers(4).flatBatch(4, async (ns) => {
      most = Math.max(most, ++now);
      await tick();
      now--;
      return calls++ > 0 ? ns.map((n) => [n]) : ns.map(function* () {
        if (calls > 0) throw new Error("torn");
        yield 0;
      });
    }, { concurrency: 1, retry: { attempts: 2, delay: 1 } }).sink(() => {}).run();
    expect({ completed: report.sources.completed, most, calls }).toEqual({
      completed: 4,
      most: 1,
      calls: 5,
    });
  });

  test("does not take an empty list that breaks for an empty fan-out", async () => {
    let calls = 0;
    const broken = Object.assign<number[], object>([], {
      [Symbol.iterator]: () => ({
        next: () => {
          throw new Error("torn");
        },
      }),
    });
    // The second attempt cannot be attributed, so nothing else is said about the task.
    const { sources } = await numbers(1)
      .flatBatch(1, () => (calls++ === 0 ? [broken] : []), { retry: { attempts: 2, delay: 1 } })
      .sink(() => {}).run();
    expect(calls).toBe(2);
    expect(sources).toMatchObject({ completed: 0, pending: 1 });
  });

  test("does not take what was returned as failed again", async () => {
    let calls = 0;
    await numbers(1).map(() => (calls++, failed("no")), { retry: { attempts: 3, delay: 1 } })
      .sink(() => {}).run();
    expect(calls).toBe(1);
  });
});

describe("giving up", () => {
  const typo = (n: number) => (n as unknown as { nme: { length: number } }).nme.length;

  test("failFast ends the run at the first failure, with the report", async () => {
    const error = await numbers(1_000).map(typo).sink(() => {}).run({ failFast: true }).catch((e) =>
      e
    );
    expect(error).toBeInstanceOf(RunError);
    expect(error).toMatchObject({ code: "RUN_ABORTED", report: { failureCount: 1 } });
  });

  test("a typo does not burn through all sources", async () => {
    const error = await numbers(100_000).map(typo).sink(() => {}).run().catch((e) => e);
    expect(error).toMatchObject({
      code: "TOO_MANY_FAILURES",
      message: expect.stringMatching(/20 sources failed/),
    });
    expect(error.report.failureCount).toBe(20);
  });

  test("a typo does not burn through a large source either", async () => {
    const error = await numbers(1).flatMap(() => Array.from({ length: 50_000 }, (_, i) => i))
      .map(typo).sink(() => {}).run().catch((e) => e);
    expect(error).toMatchObject({ code: "TOO_MANY_FAILURES", report: { failureCount: 1_000 } });
  });

  test("many failures among more successes do not end the run", async () => {
    const report = await numbers(1_000).map((n) => (n % 3 === 2 ? failed("third") : n)).sink(
      () => {},
    ).run();
    expect(report.sources).toMatchObject({ completed: 667, failed: 333 });
    expect(report.failures).toHaveLength(100);
    expect(report.failureCount).toBe(333);
  });

  test("maxFailures is exact", async () => {
    const p = numbers(100).map((n) => (n < 10 ? failed("x") : n)).sink(() => {});
    expect((await p.run({ maxFailures: 10 })).sources.failed).toBe(10);
    await expect(p.run({ maxFailures: 9 })).rejects.toMatchObject({ code: "TOO_MANY_FAILURES" });
  });

  test("leaves what was recorded recorded, and the rest runs next time", async () => {
    const shelf = new Shelf();
    let broken = true;
    const p = numbers(100).map((n) => {
      if (n === 50 && broken) throw new Error("no");
      return n;
    }).sink(() => {});
    const error = await p.run({ checkpoint: new ScriptedStore(shelf, "a"), failFast: true }).catch((
      e,
    ) => e);
    broken = false;
    const { sources } = await p.run({ checkpoint: new ScriptedStore(shelf, "b") });
    expect(sources.skipped).toBe(error.report.sources.completed);
    expect(sources.skipped + sources.completed).toBe(100);
  });
});

describe("signal", () => {
  test("opens no more sources, finishes the open ones and records them", async () => {
    const shelf = new Shelf();
    const abort = new AbortController();
    const p = numbers(1_000).map(async (n) => {
      await tick();
      if (n === 100) abort.abort();
      return n;
    }).sink(() => {});
    const first = await p.run({ checkpoint: new ScriptedStore(shelf, "a"), signal: abort.signal });
    expect(first.interrupted).toBe(true);
    expect(first.sources).toMatchObject({ failed: 0, pending: 0, unrecorded: 0 });
    expect(first.sources.completed).toBeLessThan(200);
    const second = await p.run({ checkpoint: new ScriptedStore(shelf, "b") });
    expect(second.sources.skipped).toBe(first.sources.completed);
    expect(second.sources.completed).toBe(1_000 - first.sources.completed);
  });

  test("aborted beforehand runs nothing", async () => {
    const report = await numbers(5).sink(() => {}).run({ signal: AbortSignal.abort() });
    expect(report).toMatchObject({ interrupted: true, sources: { completed: 0 } });
  });

  test("closes the source", async () => {
    const abort = new AbortController();
    let closed = false;
    await pipeline("p").source(function* () {
      try {
        for (let n = 0;; n++) yield n;
      } finally {
        closed = true;
      }
    }, { id: String }).map((n) => {
      if (n === 5) abort.abort();
      return n;
    }).sink(() => {}).run({ signal: abort.signal });
    expect(closed).toBe(true);
  });
});

describe("a checkpoint", () => {
  test("skips what is complete, and everything complete is a success", async () => {
    const shelf = new Shelf();
    const p = numbers(10).sink(() => {});
    await p.run({ checkpoint: new ScriptedStore(shelf, "a") });
    const { sources } = await p.run({ checkpoint: new ScriptedStore(shelf, "b") });
    expect(sources).toEqual({ completed: 0, skipped: 10, failed: 0, pending: 0, unrecorded: 0 });
  });

  test("runs a failed source again until it completes", async () => {
    const shelf = new Shelf();
    let broken = true;
    const p = numbers(3).map((n) => (n === 1 && broken ? failed("not yet") : n)).sink(() => {});
    const run = (writer: string) => p.run({ checkpoint: new ScriptedStore(shelf, writer) });
    expect((await run("a")).sources).toMatchObject({ completed: 2, failed: 1 });
    expect((await run("b")).sources).toMatchObject({ skipped: 2, failed: 1 });
    broken = false;
    expect((await run("c")).sources).toMatchObject({ skipped: 2, completed: 1 });
    expect((await run("d")).sources).toMatchObject({ skipped: 3, completed: 0 });
  });

  test("runs a source again when its version changed", async () => {
    const shelf = new Shelf();
    let version = "v1";
    const p = pipeline("p").source(["a", "b"], {
      id: (s) => s,
      version: (s) => (s === "a" ? version : "same"),
    }).sink(() => {});
    const run = (writer: string) => p.run({ checkpoint: new ScriptedStore(shelf, writer) });
    await run("1");
    version = "v2";
    expect((await run("2")).sources).toMatchObject({ completed: 1, skipped: 1 });
    expect((await run("3")).sources).toMatchObject({ completed: 0, skipped: 2 });
  });

  test("warns once that positions are not ids", async () => {
    const p = pipeline("p").source([1, 2, 3]).sink(() => {});
    expect((await p.run({ checkpoint: new ScriptedStore() })).warnings).toHaveLength(1);
    expect((await p.run()).warnings).toEqual([]);
  });

  test("writes nothing while a source is open", async () => {
    const store = new ScriptedStore();
    const appended: number[] = [];
    await numbers(1).flatMap((n) => [n, n, n]).sink(() => void appended.push(store.appends.length))
      .run({ checkpoint: store });
    expect(appended).toEqual([0, 0, 0]);
    expect(store.appends).toEqual([1]);
  });

  test("that cannot be written ends the run with a count of what was not recorded", async () => {
    const shelf = new Shelf();
    const full = new ScriptedStore(shelf, "a");
    const p = numbers(1_000).map((n) => {
      if (n === 500) full.refusals = Infinity;
      return n;
    }).sink(() => {});
    const error = await p.run({ checkpoint: full, maxOpenSources: 8 }).catch((e) => e);
    expect(error).toMatchObject({
      code: "CHECKPOINT_WRITE",
      message: expect.stringMatching(/could not be recorded/),
    });
    const { completed, unrecorded } = error.report.sources;
    expect(unrecorded).toBeGreaterThan(0);
    expect(unrecorded).toBeLessThanOrEqual(8);
    const { sources } = await p.run({ checkpoint: new ScriptedStore(shelf, "b") });
    expect(sources.skipped).toBe(completed);
    expect(sources.completed).toBe(1_000 - completed);
  }, 20_000);
});

describe("setup() and teardown()", () => {
  test("are called once per run, teardown also after a failure", async () => {
    const log: string[] = [];
    const stage: Stage<number, number> = {
      name: "s",
      setup: () => void log.push("setup"),
      teardown: () => void log.push("teardown"),
      process: () => {
        throw new Error("no");
      },
    };
    const p = numbers(3).stage(stage).sink(() => {});
    await p.run();
    await p.run({ failFast: true }).catch(() => {});
    expect(log).toEqual(["setup", "teardown", "setup", "teardown"]);
  });

  test("that throw give errors that name the stage", async () => {
    const broken = (which: "setup" | "teardown"): Stage<number, number> => ({
      name: "broken",
      process: (t) => t.payload,
      [which]: () => {
        throw new Error("no");
      },
    });
    await expect(numbers(1).stage(broken("setup")).run()).rejects.toMatchObject({
      code: "STAGE_SETUP",
      subject: "broken",
    });
    await expect(numbers(1).stage(broken("teardown")).run()).rejects.toMatchObject({
      code: "STAGE_TEARDOWN",
    });
  });
});

test("a listener that throws does not harm the run", async () => {
  const report = await numbers(3).sink(() => {}).run({
    onEvent: () => {
      throw new Error("mine");
    },
  });
  expect(report.sources.completed).toBe(3);
  expect(report.warnings).toEqual(["onEvent threw: mine"]);
});
