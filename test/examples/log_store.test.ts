import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test, vi } from "vitest";
import { LogStore } from "../../examples/log_store/log_store.ts";
import type { RunReport } from "../../mod.ts";

const DOCS = new URL("../../docs/stores.md", import.meta.url);
const href = (path: string) => JSON.stringify(new URL(`../../${path}`, import.meta.url).href);

test("the run in docs/stores.md records in a store of one's own, and skips when run again", async () => {
  const text = await readFile(DOCS, "utf8");
  const code = [...text.matchAll(/```ts\n([\s\S]*?)```/g)].map((block) => block[1]!)
    .find((block) => block.includes("checkpoint:"))!;
  const directory = await mkdtemp(join(tmpdir(), "tidemark-docs-"));
  onTestFinished(() => rm(directory, { recursive: true }));
  vi.spyOn(console, "log").mockImplementation(() => {});
  onTestFinished(() => void vi.restoreAllMocks());
  const placed = code.replace(`"tidemark"`, href("mod.ts"))
    .replace(`"./log_store.ts"`, href("examples/log_store/log_store.ts"))
    .replace(`"ckpt"`, JSON.stringify(join(directory, "ckpt")));
  const run = async (name: string): Promise<RunReport["sources"]> => {
    await writeFile(join(directory, name), placed);
    const module = await import(/* @vite-ignore */ join(directory, name)) as {
      report: RunReport;
    };
    return module.report.sources;
  };
  expect(await run("first.ts")).toMatchObject({ completed: 3, skipped: 0 });
  expect(await run("second.ts")).toMatchObject({ completed: 0, skipped: 3 });
  await using store = await LogStore.open(join(directory, "ckpt"));
  let records = 0;
  for await (const batch of store.read()) records += batch.records.length;
  expect(records).toBeGreaterThanOrEqual(3);
});
