import { describe, expect, test } from "vitest";
import { Checkpoint } from "../../core/checkpoint.ts";
import type { Host } from "../../core/host.ts";
import { LiveTask } from "../../core/live_task.ts";
import { Sources, type SourcesOptions } from "../../core/sources.ts";
import { failed, pipeline, type RunEvent, type Stage } from "../../mod.ts";
import { ScriptedStore, Shelf } from "./scripted_store.ts";

const host: Host = {
  now: () => 0,
  elapsed: () => 0,
  random: () => 0,
  uniqueId: () => "",
  sleep: async () => {},
  yield: async () => {},
  openStore: () => Promise.reject(new Error("not used")),
};

async function open(
  shelf: Shelf,
  writer: string,
  options: Partial<SourcesOptions> = {},
): Promise<{ sources: Sources; checkpoint: Checkpoint; log: string[] }> {
  const log: string[] = [];
  const checkpoint = await Checkpoint.open({
    store: new ScriptedStore(shelf, writer),
    host,
    pipeline: "p",
    stages: ["s"],
    acceptChanged: false,
    onWarning: () => log.push("warning"),
  });
  const sources = new Sources({
    checkpoint,
    host,
    sourceStage: { name: "s", sourceId: String, sourceVersion: () => "v" },
    commit: undefined,
    discard: undefined,
    emit: (e) => log.push(e.type),
    onSettled: () => log.push("settled"),
    onUnrecorded: () => log.push("unrecorded"),
    onCommitFailed: () => log.push("commit failed"),
    ...options,
  });
  return { sources, checkpoint, log };
}

const root = new LiveTask(undefined, undefined, [], "p", "0");

describe("Sources", () => {
  test("a source that is contradicted while it is committed stays pending, and no more", async () => {
    const commit = Promise.withResolvers<void>();
    const { sources, checkpoint, log } = await open(new Shelf(), "w", {
      commit: () => commit.promise,
    });
    const source = sources.open(root, "a", 0)!;
    checkpoint.apply([{ kind: "drained", source: "a", path: [] }]);
    sources.settle(source);
    checkpoint.apply([{ kind: "expanded", source: "a", path: [], children: 2 }]);
    commit.resolve();
    await source.settlement;
    expect(log).toEqual(["source-opened", "warning", "source-pending", "settled"]);
    expect(sources).toMatchObject({ pending: 1, unrecorded: 0, settling: 0, openCount: 0 });
  });

  test("a failure does not undo what another writer completed meanwhile", async () => {
    const shelf = new Shelf();
    const mine = await open(shelf, "mine");
    const theirs = await open(shelf, "theirs");
    const source = mine.sources.open(root, "a", 0)!;
    const other = theirs.sources.open(root, "a", 0)!;
    theirs.checkpoint.apply([{ kind: "drained", source: "a", path: [] }]);
    theirs.sources.settle(other);
    await other.settlement;
    await mine.checkpoint.refresh();
    mine.sources.fail(source, "broken here");
    mine.sources.settle(source);
    await mine.checkpoint.flush();
    expect(mine.sources.failed).toBe(1);
    const next = await open(shelf, "next");
    expect(next.checkpoint.areComplete([{ id: "a", version: "v" }])).toEqual([true]);
  });
});

describe("a source's label", () => {
  const label = (n: number) => `file ${n}\n`;

  test("is in failures and events beside its id, and in no record", async () => {
    const shelf = new Shelf();
    const p = pipeline("p").source([1, 2], { id: String, label })
      .map((n) => (n === 2 ? failed("odd") : n)).sink(() => {});
    const run = async (writer: string) => {
      const events: RunEvent[] = [];
      const report = await p.run({
        checkpoint: new ScriptedStore(shelf, writer),
        onEvent: (e) => events.push(e),
      });
      return { report, events: events.filter((e) => e.type.startsWith("source-")) };
    };
    const first = await run("a");
    expect(first.report.failures).toEqual([
      { stage: "map", source: "2", label: "file 2\n", task: "0_2", reason: "odd" },
    ]);
    expect(first.events).toHaveLength(4);
    expect(first.events).toEqual(expect.arrayContaining([
      { type: "source-opened", source: "1", label: "file 1\n" },
      { type: "source-opened", source: "2", label: "file 2\n" },
      { type: "source-completed", source: "1", label: "file 1\n" },
      { type: "source-failed", source: "2", label: "file 2\n", reason: "odd" },
    ]));
    const again = await run("b");
    expect(again.events[0]).toEqual({ type: "source-skipped", source: "1", label: "file 1\n" });
    const records = [...shelf.logs.values()].flat();
    expect(records.length).toBeGreaterThan(1);
    for (const bytes of records) expect(new TextDecoder().decode(bytes)).not.toContain("file");
  });

  test("comes from the source stage's sourceLabel, and is nobody's identity", async () => {
    const stage: Stage<undefined, number> = {
      name: "s",
      output: "many",
      process: () => [1, 2],
      sourceLabel: () => "the same",
    };
    const report = await pipeline("p").source(stage).map(() => failed("no")).run();
    expect(report.failures.map(({ source, label }) => [source, label])).toEqual([
      ["#0", "the same"],
      ["#1", "the same"],
    ]);
  });

  test("stands for the id in messages, made printable", async () => {
    const p = pipeline("p").source([1], { id: String, label });
    await expect(p.map(() => failed("no")).run({ failFast: true })).rejects.toThrow(
      'stage "map" on file 1\\u{a}: no',
    );
    await expect(pipeline("p").source([1, 1], { id: String, label }).run()).rejects.toThrow(
      'the id "1" twice in one run, now for file 1\\u{a}: give',
    );
    const { warnings } = await p.sink({
      name: "sink",
      process: () => failed("no"),
      discardSource: () => Promise.reject(new Error("locked")),
    }).run();
    expect(warnings).toEqual([
      "source file 1\\u{a}: what was written for it could not be removed: locked",
    ]);
  });

  test.each<[string, () => unknown, RegExp]>([
    ["throws", () => {
      throw new Error("no name");
    }, /its id stands for it: no name$/],
    ["is a promise", () => Promise.reject(new Error("late")), /it is a Promise, not a text$/],
    ["is no text", () => 5, /its id stands for it: it is 5, not a text$/],
  ])("that %s is warned about once, and the source runs", async (_, odd, message) => {
    const report = await pipeline("p").source([1, 2], { id: String, label: odd as () => string })
      .map((n) => (n === 2 ? failed("no") : n)).run();
    expect(report.sources).toMatchObject({ completed: 1, failed: 1 });
    expect(report.failures[0]).toEqual({ stage: "map", source: "2", task: "0_2", reason: "no" });
    expect(report.warnings).toEqual([expect.stringMatching(message)]);
  });
});
