import { describe, expect, test } from "vitest";
import { failed, pipeline, type RunEvent, type TaskFailure } from "../../mod.ts";

const three = pipeline("p").source(["s"], { id: String });
const boom = new Error("boom");
const explode = (): never => {
  throw boom;
};

describe("a failure carries what was thrown", () => {
  const ways: [string, { run(): Promise<{ failures: readonly TaskFailure[] }> }][] = [
    ["at once", three.map(explode)],
    ["later", three.map(async () => explode())],
    ["by a filter", three.filter(explode)],
    [
      "while streaming",
      three.flatMap(async function* () {
        yield 1;
        explode();
      }),
    ],
    ["by a batch", three.batch(2, explode)],
    ["after retries", three.map(explode, { retry: { attempts: 2, delay: 0 } })],
    ["by the sink", three.sink(explode)],
    [
      "when its source is committed",
      three.sink({ name: "sink", process: () => undefined, commitSource: explode }),
    ],
  ];
  test.each(ways)("%s", async (_, p) => {
    const { failures } = await p.run();
    expect(failures).toHaveLength(1);
    expect(failures[0]!.cause).toBe(boom);
    expect(failures[0]!.reason).toBe("boom");
  });
});

test("a failure's cause is in the event too, and never in JSON", async () => {
  const events: RunEvent[] = [];
  const report = await three.map(explode).run({ onEvent: (e) => events.push(e) });
  const event = events.find((e) => e.type === "task-failed")!;
  expect(event.failure.cause).toBe(boom);
  expect(JSON.parse(JSON.stringify(report)).failures).toEqual([
    { stage: "explode", source: "s", task: "0_s", reason: "boom" },
  ]);
});

test("a failure that was returned has no cause", async () => {
  const { failures } = await three.map(() => failed("no")).run();
  expect(failures).toHaveLength(1);
  expect("cause" in failures[0]!).toBe(false);
});

test.each([{ failFast: true }, { maxFailures: 0 }])(
  "the error of a run that was given up leads to what was thrown, with %j",
  async (options) => {
    const error = await three.map(explode).run(options).catch((e: unknown) => e);
    expect(error).toMatchObject({ name: "RunError", cause: { cause: boom } });
  },
);
