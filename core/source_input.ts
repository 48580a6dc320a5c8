import { TidemarkError } from "./errors.ts";
import { checkOptions, FUNCTION, type OptionKinds, shown, TEXT } from "./option_check.ts";
import type { AnyStage, Awaitable, Many } from "./stage.ts";

/** Options of a source that is made from an iterable. */
export interface SourceOptions<T> {
  /** The stage's name. @default "source" */
  readonly name?: string;
  /** A source's content id. Without it a source is known by its position. */
  readonly id?: (payload: T) => string;
  /** The version of a source's content; when it changes, the source runs again. */
  readonly version?: (payload: T) => string;
  /**
   * What people call a source, for failures and events. It is no identity and is not recorded.
   * @default its id
   */
  readonly label?: (payload: T) => string;
}

/** Where sources come from: values, streamed or not, or a function that gives them anew for each run. */
export type SourceInput<T> =
  | Many<T>
  | ReadableStream<T>
  | (() => Awaitable<Many<T> | ReadableStream<T>>);

const SOURCE_OPTIONS: OptionKinds<SourceOptions<unknown>> = {
  name: TEXT,
  id: FUNCTION,
  version: FUNCTION,
  label: FUNCTION,
};

/** The source stage that emits what an input gives. */
export function sourceStage(
  input: SourceInput<unknown>,
  options: SourceOptions<unknown> = {},
): AnyStage {
  checkOptions("source()", options, SOURCE_OPTIONS);
  const { id, version, label } = options;
  let spent = false;
  return {
    name: options.name ?? "source",
    output: "many",
    process: async () => {
      const values = typeof input === "function" ? await input() : input;
      const iterable = asIterable(values);
      if (typeof input !== "function" && isOneShot(values)) {
        if (spent) {
          throw new TidemarkError(
            "SOURCE_FAILED",
            "the source was consumed by an earlier run: pass a function that returns a new one",
          );
        }
        spent = true;
      }
      return iterable;
    },
    ...(id === undefined ? {} : { sourceId: id }),
    ...(version === undefined ? {} : { sourceVersion: version }),
    ...(label === undefined ? {} : { sourceLabel: label }),
  };
}

function asIterable(values: unknown): Many<unknown> {
  if (typeof values === "object" && values !== null) {
    if (Symbol.asyncIterator in values || Symbol.iterator in values) return values as Many<unknown>;
    if (values instanceof ReadableStream) return readAll(values);
  }
  throw new TidemarkError(
    "SOURCE_FAILED",
    `the source is ${shown(values)}: pass an iterable, an async iterable, a stream, or a ` +
      "function that returns one",
  );
}

/** For runtimes whose web streams cannot be iterated. */
async function* readAll(stream: ReadableStream<unknown>): AsyncGenerator {
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } finally {
    await reader.cancel();
  }
}

/** Whether iterating uses the values up, as with generators and streams. */
function isOneShot(values: unknown): boolean {
  const { next, pipe } = values as { next?: unknown; pipe?: unknown };
  return values instanceof ReadableStream || typeof next === "function" ||
    typeof pipe === "function";
}
