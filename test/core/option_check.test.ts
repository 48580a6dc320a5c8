import { describe, expect, test } from "vitest";
import { pipeline, type RunOptions, type StageOptions } from "../../mod.ts";
import { ScriptedStore } from "./scripted_store.ts";

const RUN =
  "checkpoint, concurrency, maxOpenSources, signal, onEvent, failFast, maxFailures, resumeChanged, initialTasks";
const STAGE = "name, concurrency, retry, resumable";
const RETRY = "attempts, delay, factor, maxDelay";

const numbers = pipeline("p").source([1, 2], { id: String });
const refusal = (message: string) =>
  expect.objectContaining({ code: "OPTION_INVALID", message }) as Error;

describe("run() refuses", () => {
  test.each<[unknown, string]>([
    [{ chekpoint: "./x" }, `run() has no option "chekpoint": it knows ${RUN}`],
    [{ maxOpenSource: 3 }, `run() has no option "maxOpenSource": it knows ${RUN}`],
    [{ toString: 3 }, `run() has no option "toString": it knows ${RUN}`],
    [{ "a\n": 3 }, `run() has no option "a\\u{a}": it knows ${RUN}`],
    ["./ckpt", `run() takes an object of options (${RUN}), not "./ckpt"`],
    [null, `run() takes an object of options (${RUN}), not null`],
    [[{}], `run() takes an object of options (${RUN}), not a list`],
    [{ concurrency: "4" }, `run(): concurrency must be a whole number from 1, not "4"`],
    [{ failFast: "yes" }, `run(): failFast must be true or false, not "yes"`],
    [{ resumeChanged: 1 }, "run(): resumeChanged must be true or false, not 1"],
    [{ onEvent: 5 }, "run(): onEvent must be a function, not 5"],
    [{ signal: 5 }, "run(): signal must be an AbortSignal, not 5"],
    [
      { signal: new AbortController() },
      "run(): signal must be an AbortSignal, not an AbortController",
    ],
    [{ maxFailures: "all" }, `run(): maxFailures must be a number from 0 or "auto", not "all"`],
    [{ initialTasks: "ab" }, `run(): initialTasks must be a list, not "ab"`],
    [
      { checkpoint: 5 },
      `run(): checkpoint must be a text such as "./ckpt", an object with "store", or a store, not 5`,
    ],
    [
      { checkpoint: new URL("file:///ckpt") },
      "A checkpoint is a path and no URL: give it as fileURLToPath(url)",
    ],
    [
      { checkpoint: { append() {}, read() {} } },
      "A checkpoint store needs the methods manifest, read, append, close: this one has no " +
      "manifest and no close",
    ],
  ])("%j", async (options, message) => {
    await expect(numbers.run(options as RunOptions)).rejects.toEqual(refusal(message));
  });
});

test("run() takes options that are undefined, a store of methods, and one by name", async () => {
  const unset = { checkpoint: undefined, signal: undefined, failFast: undefined };
  await numbers.run(unset as unknown as RunOptions);
  await numbers.run({ checkpoint: new ScriptedStore() });
  const { sources } = await numbers.run({ checkpoint: { store: "memory" } });
  expect(sources.completed).toBe(2);
});

describe("the stages of a pipeline refuse", () => {
  const same = (x: unknown) => x as never;
  const given = (options: unknown) => options as StageOptions;
  test.each<[string, () => unknown]>([
    [
      `map() has no option "concurency": it knows ${STAGE}`,
      () => numbers.map(same, given({ concurency: 3 })),
    ],
    [`filter(): name must be a text, not 5`, () => numbers.filter(same, given({ name: 5 }))],
    [
      `flatMap(): resumable must be true or false, not "no"`,
      () => numbers.flatMap(same, given({ resumable: "no" })),
    ],
    [
      `batch(): retry has no option "times": it knows ${RETRY}`,
      () => numbers.batch(2, same, given({ retry: { times: 3 } })),
    ],
    [
      `flatBatch(): retry takes an object of options (${RETRY}), not 3`,
      () => numbers.flatBatch(2, same, given({ retry: 3 })),
    ],
    [
      "map(): retry.attempts must be a whole number from 1, not undefined",
      () => numbers.map(same, given({ retry: {} })),
    ],
    [
      `sink() takes an object of options (${STAGE}), not "out"`,
      () => numbers.sink(same, given("out")),
    ],
    [
      `sink() has no option "nam": it knows ${STAGE}`,
      () => numbers.sink(new WritableStream(), given({ nam: "x" })),
    ],
    [
      `source() has no option "idd": it knows name, id, version, label`,
      () => pipeline("p").source([1], { idd: String } as object),
    ],
    [
      'source(): id must be a function, not "name"',
      () => pipeline("p").source([1], { id: "name" as never }),
    ],
    [
      `sink() takes no options beside the stage "s": set them on the stage`,
      () => numbers.sink({ name: "s", process: same } as never, given({ name: "x" })),
    ],
  ])("%s", (message, make) => {
    expect(make).toThrow(refusal(message));
  });
});

test("a stage that is an object has members of its own", async () => {
  const own = { name: "own", process: () => 1, chekpoint: "x", options: { retry: 0 } };
  expect((await numbers.stage(own).run()).sources.completed).toBe(2);
});
