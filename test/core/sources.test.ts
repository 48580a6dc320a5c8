import { describe, expect, test } from "vitest";
import { Checkpoint } from "../../core/checkpoint.ts";
import type { Host } from "../../core/host.ts";
import { LiveTask } from "../../core/live_task.ts";
import { Sources, type SourcesOptions } from "../../core/sources.ts";
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
