import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { AnyStage, StageContext } from "../../core/stage.ts";
import { EmptyTask, type SourceRef, type Task } from "../../core/task.ts";

/** A new directory that is removed after the test, with the files in it. */
export async function scratch(
  contents: Readonly<Record<string, string | Uint8Array>> = {},
): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "tidemark-io-"));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(contents)) {
    const path = join(directory, name);
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
  return directory;
}

/** A stage's context that keeps what it is told. */
export interface Listener extends StageContext {
  readonly warnings: string[];
  readonly expected: number[];
}

export function listener(signal: AbortSignal = new AbortController().signal): Listener {
  const warnings: string[] = [];
  const expected: number[] = [];
  return {
    stage: "test",
    signal,
    warnings,
    expected,
    warn: (message) => void warnings.push(message),
    expectSources: (count) => void expected.push(count),
  };
}

/** Everything that a source stage emits. */
export async function emitted<T>(
  stage: { process?: AnyStage["process"] },
  context: StageContext = listener(),
): Promise<T[]> {
  return await collect((await stage.process!(new EmptyTask(), context)) as AsyncIterable<T>);
}

/** Everything that an iterable gives. */
export async function collect<T>(values: AsyncIterable<T> | Iterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

/** The words that start this runtime on a script outside of the repository. */
export function runtime(): string[] {
  const config = fileURLToPath(new URL("../../deno.json", import.meta.url));
  return "Deno" in globalThis
    ? [process.execPath, "run", "-A", "--config", config]
    : [process.execPath];
}

/** A task of a source, as the engine would hand it to a sink. */
export function taskOf<T>(
  payload: T,
  source: string | undefined,
  path: readonly number[] = [0],
): Task<T> {
  const ref: SourceRef | undefined = source === undefined ? undefined : { id: source };
  return {
    id: `0_${source}_${path.join("_")}`,
    payload,
    source: ref,
    path,
    dataset: "test",
    items: 1,
  };
}
