import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { pipeline, type Runnable } from "../mod.ts";

const README = new URL("../README.md", import.meta.url);
const MOD = new URL("../mod.ts", import.meta.url);

test("the README's pipeline does what it says, and has nothing to do when run again", async () => {
  const code = /```ts\n([\s\S]*?)```/.exec(await readFile(README, "utf8"))![1]!;
  const directory = await mkdtemp(join(tmpdir(), "tidemark-readme-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  const text = join(directory, "speech.txt");
  await writeFile(text, "one two\n\nthree\n");
  // Its relative paths are those of the directory that it is run in.
  const placed = code.replace(`"tidemark"`, JSON.stringify(MOD.href))
    .replace(`"texts/*.txt"`, JSON.stringify(join(directory, "*.txt")))
    .replace(`"out"`, JSON.stringify(join(directory, "out")));
  await writeFile(join(directory, "words.ts"), placed);
  const module = await import(/* @vite-ignore */ join(directory, "words.ts")) as {
    default: Runnable;
  };
  const checkpoint = join(directory, "ckpt");
  expect((await module.default.run({ checkpoint })).sources.completed).toBe(1);
  const written = await readdir(join(directory, "out"), { recursive: true });
  const [file] = written.filter((name) => name.endsWith(".jsonl"));
  expect(await readFile(join(directory, "out", file!), "utf8")).toBe(
    `{"line":"one two","words":2}\n{"line":"three","words":1}\n`,
  );
  expect((await module.default.run({ checkpoint })).sources).toMatchObject({
    completed: 0,
    skipped: 1,
  });
});

test("the README names every method of a pipeline", async () => {
  const readme = await readFile(README, "utf8");
  const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(pipeline("p")))
    .filter((name) => name !== "constructor");
  expect(methods.length).toBeGreaterThan(8);
  for (const method of methods) expect(readme, method).toContain(`${method}(`);
});
