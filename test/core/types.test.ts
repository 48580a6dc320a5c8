import { expect, expectTypeOf, test } from "vitest";
import {
  failed,
  files,
  type Pipeline,
  pipeline,
  readText,
  type Stage,
  type TextFile,
} from "../../mod.ts";

/** Checked by the compiler; at run time it only has to build. */
test("types flow from the source to the sink", () => {
  const numbers = pipeline("types").source([1, 2, 3]);
  expectTypeOf(numbers).toEqualTypeOf<Pipeline<number>>();
  expectTypeOf(numbers.map((n) => `${n}`)).toEqualTypeOf<Pipeline<string>>();
  expectTypeOf(numbers.map(async (n) => [n])).toEqualTypeOf<Pipeline<number[]>>();
  expectTypeOf(numbers.map((n) => (n > 1 ? n : null))).toEqualTypeOf<Pipeline<number>>();
  expectTypeOf(numbers.map((n) => (n > 1 ? n : failed("small")))).toEqualTypeOf<Pipeline<number>>();
  expectTypeOf(numbers.filter((n) => n > 1)).toEqualTypeOf<Pipeline<number>>();
  expectTypeOf(numbers.flatMap((n) => [n, "x"])).toEqualTypeOf<Pipeline<number | string>>();
  expectTypeOf(numbers.flatMap(async function* (n) {
    yield { n };
  })).toEqualTypeOf<Pipeline<{ n: number }>>();
  expectTypeOf(numbers.batch(2, (ns) => ns.map(String))).toEqualTypeOf<Pipeline<string>>();
  expectTypeOf(numbers.flatBatch(2, (ns) => ns.map((n) => [`${n}`]))).toEqualTypeOf<
    Pipeline<string>
  >();
  const mixed = pipeline("types").source<number | string>([1, "a"]);
  expectTypeOf(mixed.filter((x) => typeof x === "string")).toEqualTypeOf<Pipeline<string>>();
  expectTypeOf(pipeline("types").source(files("*")).map(readText())).toEqualTypeOf<
    Pipeline<TextFile>
  >();
  const double: Stage<number, bigint> = { name: "double", process: (t) => BigInt(t.payload * 2) };
  expectTypeOf(numbers.stage(double)).toEqualTypeOf<Pipeline<bigint>>();
  expectTypeOf(pipeline("types").source(async () => new Set(["a"]))).toEqualTypeOf<
    Pipeline<string>
  >();
  expect(numbers.name).toBe("types");
});

test("what does not fit is a compile error", () => {
  const numbers = pipeline("types").source([1, 2, 3]);
  const words: Stage<string, string> = { name: "words", process: (t) => t.payload };
  const takesText = (text: string) => text.length;
  // Each line must not compile: an unused directive is an error itself.
  // @ts-expect-error -- a sink that does not take what the stage before gives
  numbers.sink(takesText);
  // @ts-expect-error -- nor does a map
  numbers.map(takesText);
  // @ts-expect-error -- nor a stage
  numbers.stage(words);
  // @ts-expect-error -- nor a stream
  numbers.sink(new WritableStream<string>());
  // @ts-expect-error -- a fan-out gives a list
  numbers.flatMap((n) => n);
  // @ts-expect-error -- nothing follows a sink
  expect(() => numbers.sink(() => {}).map((n: number) => n)).not.toThrow();
  // @ts-expect-error -- nothing comes before the source
  expect(() => pipeline("types").map((n: number) => n)).not.toThrow();
  expect(numbers.name).toBe("types");
});
