import { describe, expect, test } from "vitest";
import {
  composite,
  EmptyTask,
  failed,
  FailedTask,
  NoneTask,
  type Pipeline,
  pipeline,
  readText,
  type RunEvent,
  type Stage,
  type StageObject,
} from "../../mod.ts";

const code = (code: string) => expect.objectContaining({ code });

describe("pipeline()", () => {
  test("passes values through every kind of stage", async () => {
    const got: string[] = [];
    const report = await pipeline("all")
      .source([1, 2, 3], { id: String })
      .map((n) => n * 10)
      .filter((n) => n !== 20)
      .flatMap(function* (n) {
        yield n;
        yield n + 1;
      })
      .batch(3, (ns) => ns.map(String))
      .flatBatch(2, (ss) => ss.map((s) => [s, `${s}!`]))
      .sink((s) => void got.push(s))
      .run();
    expect(got.toSorted()).toEqual(["10", "10!", "11", "11!", "30", "30!", "31", "31!"]);
    expect(report.sources).toEqual({
      completed: 3,
      skipped: 0,
      failed: 0,
      pending: 0,
      unrecorded: 0,
    });
    expect(report.stages.map((s) => [s.name, s.tasks, s.emitted, s.filtered])).toEqual([
      ["source", 1, 3, 0],
      ["map", 3, 3, 0],
      ["filter", 3, 2, 1],
      ["flatMap", 2, 4, 0],
      ["batch", 4, 4, 0],
      ["flatBatch", 4, 8, 0],
      ["sink", 8, 8, 0],
    ]);
  });

  test("assigns lineage ids that user code can read", async () => {
    const ids: string[] = [];
    await pipeline("ids")
      .source(["a_1", "b"], { id: (s) => s })
      .flatMap((s) => [s, s], { name: "fan" })
      .map((s, c) => (ids.push(c.id), s))
      .sink((_, c) => void ids.push(`${c.id} of ${c.source?.id}`))
      .run({ concurrency: 1 });
    expect(ids.toSorted()).toEqual([
      "0_a_1_0",
      "0_a_1_0_0 of a_1",
      "0_a_1_1",
      "0_a_1_1_0 of a_1",
      "0_b_0",
      "0_b_0_0 of b",
      "0_b_1",
      "0_b_1_0 of b",
    ]);
  });

  test.each([
    ["array", () => [1, 2]],
    ["set", () => new Set([1, 2])],
    ["generator", function* () {
      yield* [1, 2];
    }],
    ["async generator", async function* () {
      yield* [1, 2];
    }],
    ["promise of an array", async () => [1, 2]],
    ["ReadableStream", () =>
      new ReadableStream<number>({
        start: (c) => [1, 2].forEach((n) => c.enqueue(n)) ?? c.close(),
      })],
  ])("takes a %s as a source, twice", async (_, input) => {
    const p = pipeline("inputs").source<number>(input).sink(() => {});
    expect((await p.run()).sources.completed).toBe(2);
    expect((await p.run()).sources.completed).toBe(2);
  });

  test("writes to a WritableStream and closes it", async () => {
    const got: number[] = [];
    let closed = false;
    const stream = new WritableStream<number>({
      write: (n) => void got.push(n),
      close: () => void (closed = true),
    });
    await pipeline("stream").source([1, 2]).sink(stream).run();
    expect([got, closed]).toEqual([[1, 2], true]);
  });

  test("of one stage completes", async () => {
    const report = await pipeline("one").source(["x", "y"], { id: (s) => s }).run();
    expect(report.sources.completed).toBe(2);
  });

  test("runs again with a stage added", async () => {
    const short = pipeline("grow").source([1, 2], { id: String }).map((n) => n);
    const long = short.map((n) => n).sink(() => {});
    expect((await short.run()).sources.completed).toBe(2);
    expect((await long.run()).sources.completed).toBe(2);
    expect((await short.run()).sources.completed).toBe(2);
  });

  test("refuses a generator that an earlier run has used up", async () => {
    const p = pipeline("spent").source((function* () {
      yield 1;
    })()).sink(() => {});
    await p.run();
    await expect(p.run()).rejects.toMatchObject({ code: "SOURCE_FAILED" });
  });

  test("expands composite stages, nested too, and refuses one that contains itself", async () => {
    const add = (n: number): Stage<number, number> => ({
      name: `+${n}`,
      process: (t) => t.payload + n,
    });
    const three = composite<number, number>("three", [add(1), composite("two", [add(1), add(1)])]);
    const got: number[] = [];
    const report = await pipeline("nested").source([0]).stage(three).sink((n) => void got.push(n))
      .run();
    expect(got).toEqual([3]);
    expect(report.stages.map((s) => s.name)).toEqual(["source", "+1", "+1 2", "+1 3", "sink"]);
    const parts: Stage<number, number>[] = [];
    const loop = { name: "loop", parts };
    parts.push(loop);
    await expect(pipeline("loop").source([0]).stage(loop).run()).rejects.toMatchObject({
      code: "PIPELINE_INVALID",
      message: expect.stringContaining("contains itself"),
    });
  });

  test("refuses what cannot run, naming the stages", async () => {
    // The types forbid these; callers without types get an error.
    const p = pipeline("bad") as unknown as Record<string, (...a: unknown[]) => typeof p> & {
      run(): Promise<unknown>;
    };
    const refused: [() => { run(): Promise<unknown> }, RegExp][] = [
      [() => p, /no stages/],
      [
        () => p["source"]!([1])["source"]!([2], { name: "second" }),
        /"source" and "second" are sources/,
      ],
      [() => p["map"]!(String)["source"]!([1]), /the source "source" is not the first/],
      [
        () => p["source"]!([1])["sink"]!(String)["map"]!((x: unknown) => x, { name: "after" }),
        /the sink "String" is not the last stage: "after"/,
      ],
      [
        () => p["source"]!([1])["sink"]!(String)["sink"]!(Number),
        /"String" and "Number" are sinks/,
      ],
      [() => p["map"]!(String)["sink"]!(Number)["source"]!([1]), /comes after the sink/],
      [
        () => p["map"]!(readText())["sink"]!(String),
        /no source, so "map" has no input: begin with \.source\(/,
      ],
      [() => p["sink"]!(String), /no source, so "String" has no input/],
      [() => p["sink"]!(new WritableStream()), /no source, so "stream" has no input/],
    ];
    for (const [make, message] of refused) {
      await expect(make().run()).rejects.toMatchObject({
        code: "PIPELINE_INVALID",
        message: expect.stringMatching(message),
      });
    }
    expect(() => pipeline("")).toThrow(code("PIPELINE_INVALID"));
    expect(() => p["map"]!(7)).toThrow(code("PIPELINE_INVALID"));
    expect(() => p["stage"]!({ name: "x" })).toThrow(code("PIPELINE_INVALID"));
    expect(() => p["sink"]!(7)).toThrow(code("PIPELINE_INVALID"));
  });

  test.each([
    [{ concurrency: 0 }],
    [{ maxOpenSources: 1.5 }],
    [{ maxFailures: -1 }],
  ])("refuses the option %j", async (options) => {
    await expect(pipeline("p").source([1]).run(options)).rejects.toMatchObject({
      code: "OPTION_INVALID",
    });
  });

  test("refuses stage options out of range", async () => {
    const source = pipeline("p").source([1]);
    const process = (task: { payload: number }) => task.payload;
    const bad = [
      source.batch(0, (x) => x),
      source.stage({ name: "s", process, concurrency: -1 }),
      source.stage({ name: "s", process, retry: { attempts: 0 } }),
      source.stage({ name: "s", process, retry: { attempts: 2, delay: -5 } }),
      source.stage({ name: "s", process, resumable: "no" as never }),
    ];
    for (const p of bad) await expect(p.run()).rejects.toMatchObject({ code: "OPTION_INVALID" });
    expect(() => source.map((x) => x, { concurrency: -1 })).toThrow(code("OPTION_INVALID"));
    await expect(source.stage({ process } as never).run()).rejects.toMatchObject({
      code: "OPTION_INVALID",
      message: "a stage: name must be a text, not undefined",
    });
  });

  test("refuses a stage that is not resumable when a checkpoint is set, and only then", async () => {
    const p = pipeline("p").source([1]).map((n) => n, { name: "live", resumable: false });
    await expect(p.run({ checkpoint: "memory:" })).rejects.toMatchObject({
      code: "STAGE_NOT_RESUMABLE",
      message: expect.stringContaining(`"live"`),
    });
    expect((await p.run()).sources.completed).toBe(1);
  });

  test("takes a stage without input as the source, and a function when there are initial tasks", async () => {
    const emitter: Stage<undefined, number> = {
      name: "two",
      output: "many",
      process: () => [1, 2],
    };
    expect((await pipeline("p").stage(emitter).run()).sources.completed).toBe(2);
    const bare = pipeline("p") as unknown as Pipeline<number>;
    expect((await bare.sink(emitter as StageObject<unknown, number>).run()).sources.completed)
      .toBe(2);
    const got: number[] = [];
    const doubled = bare.map((n) => n * 2).sink((n) => void got.push(n));
    await doubled.run({ initialTasks: [1, 2] });
    expect(got).toEqual([2, 4]);
  });

  test("gives two initial tasks of a one-to-one source two sources", async () => {
    const ids: (string | undefined)[] = [];
    const report = await pipeline("initial")
      .stage<string, string>({ name: "read", process: (t) => t.payload })
      .sink((_, c) => void ids.push(`${c.id} ${c.source?.id}`))
      .run({ initialTasks: ["x", "y"] });
    expect(report.sources.completed).toBe(2);
    expect(ids).toEqual(["0_0_0 #0_0", "0_1_0 #1_0"]);
  });
});

describe("sentinels", () => {
  test("carry no payload, count nothing and are told apart", () => {
    expect([new EmptyTask().id, new EmptyTask().dataset]).toEqual(["0", "empty"]);
    expect([new NoneTask().dataset, failed("why").dataset, failed("why").reason]).toEqual([
      "none",
      "failed",
      "why",
    ]);
    for (const task of [new EmptyTask(), new NoneTask(), failed("x")]) {
      expect([task.items, task.payload]).toEqual([0, undefined]);
    }
    expect(failed("x")).not.toBeInstanceOf(NoneTask);
    const payload = 1 as unknown as undefined;
    expect(() => new NoneTask(payload)).toThrow(code("TASK_RESULT_INVALID"));
    expect(() => new EmptyTask(payload)).toThrow(code("TASK_RESULT_INVALID"));
    expect(() => new FailedTask("why", payload)).toThrow(code("TASK_RESULT_INVALID"));
  });

  test("NoneTask filters and FailedTask fails wherever a value may stand", async () => {
    const base = pipeline("sentinels").source([0, 1, 2], { id: String });
    const pick = (n: number) => [n, new NoneTask(), failed("no")][n] as number;
    const ways = [
      base.map(pick),
      base.flatMap((n) => [pick(n)]),
      base.batch(3, (ns) => ns.map(pick)),
      base.flatBatch(3, (ns) => ns.map((n) => [pick(n)])),
    ];
    for (const p of ways) {
      const { sources, stages } = await p.sink(() => {}).run();
      expect(sources).toMatchObject({ completed: 2, failed: 1 });
      expect(stages[1]).toMatchObject({ filtered: 1, failed: 1 });
      expect(stages[2]).toMatchObject({ tasks: 1 });
    }
  });

  test("a source stage that fails a slot ends the run with an error, after what is open", async () => {
    const got: number[] = [];
    await expect(
      pipeline("p").source<number>([1, failed("broken") as never, 3]).sink((n) => void got.push(n))
        .run(),
    ).rejects.toMatchObject({ code: "SOURCE_FAILED", report: { sources: { completed: 1 } } });
    expect(got).toEqual([1]);
  });
});

describe("content ids", () => {
  test("emitted twice in one run end it with an error, and what is open is finished", async () => {
    const run = pipeline("p").source(["a", "b", "a"], { id: (s) => s }).sink(() => {}).run();
    await expect(run).rejects.toMatchObject({
      code: "SOURCE_DUPLICATE",
      subject: "a",
      report: { sources: { completed: 2 } },
    });
  });

  test.each(["__proto__", "a_1", "#0", "𝒳", "../../etc", "\u0000"])("may be %j", async (id) => {
    const events: RunEvent[] = [];
    const p = pipeline("p").source([id, "other"], { id: (s) => s }).sink(() => {});
    const report = await p.run({ checkpoint: "memory:", onEvent: (e) => events.push(e) });
    expect(report.sources.completed).toBe(2);
    expect(events).toContainEqual({ type: "source-completed", source: id === "#0" ? "##0" : id });
  });

  test.each([["", /empty/], ["x".repeat(70_000), /70000 characters/], [7, /a number/]])(
    "cannot be %.10s",
    async (id, message) => {
      await expect(pipeline("p").source([1], { id: () => id as string }).run()).rejects
        .toMatchObject({
          code: "SOURCE_ID_INVALID",
          message: expect.stringMatching(message),
        });
    },
  );

  test("never equal a position", async () => {
    const stage: Stage<undefined, number> = {
      name: "mixed",
      output: "many",
      process: () => [0, 1],
      sourceId: (n) => (n === 1 ? "#0" : undefined),
    };
    expect((await pipeline("p").source(stage).sink(() => {}).run()).sources.completed).toBe(2);
  });

  test("on other stages are ignored", async () => {
    const stage: Stage<number, number> = {
      name: "s",
      process: (t) => t.payload,
      sourceId: () => "same",
    };
    const p = pipeline("p").source([1, 2]).stage(stage).sink(() => {});
    expect((await p.run()).sources.completed).toBe(2);
  });
});
