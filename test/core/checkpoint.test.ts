import { describe, expect, test } from "vitest";
import { Checkpoint } from "../../core/checkpoint.ts";
import type { StoreWarning } from "../../core/host.ts";
import { decodeRecord, encodeRecord } from "../../core/record_codec.ts";
import type { RecordBatch } from "../../core/store.ts";
import { ScriptedStore, Shelf } from "./scripted_store.ts";

interface Opened {
  readonly checkpoint: Checkpoint;
  readonly store: ScriptedStore;
  readonly warnings: StoreWarning[];
  readonly slept: number[];
}

async function open(store = new ScriptedStore()): Promise<Opened> {
  const warnings: StoreWarning[] = [];
  const slept: number[] = [];
  const checkpoint = await Checkpoint.open({
    store,
    host: {
      now: () => 1,
      random: () => 0.5,
      sleep: async (ms) => void slept.push(ms),
    },
    pipeline: "p",
    stages: ["a", "b"],
    acceptChanged: false,
    onWarning: (w) => warnings.push(w),
  });
  return { checkpoint, store, warnings, slept };
}

function drain(checkpoint: Checkpoint, source: string): void {
  checkpoint.apply([{ kind: "opened", source }, { kind: "drained", source, path: [] }]);
}

function records(shelf: Shelf): unknown[] {
  return [...shelf.logs.values()].flat().map((bytes) => decodeRecord(bytes));
}

describe("record()", () => {
  test("resolves with the append, and the next owner sees it", async () => {
    const { checkpoint, store } = await open();
    drain(checkpoint, "s");
    expect(await checkpoint.record("s", "complete", { version: "v" })).toBe(true);
    expect(records(store.shelf)).toMatchObject([{
      source: "s",
      state: "complete",
      clock: 1,
      version: "v",
    }]);
    const next = await open(new ScriptedStore(store.shelf, "w2"));
    const ids = [{ id: "s", version: "v" }, { id: "s", version: "v2" }, { id: "unknown" }];
    expect(next.checkpoint.areComplete(ids)).toEqual([true, false, false]);
  });

  test("refuses to call a source complete that is not drained", async () => {
    const { checkpoint, store } = await open();
    checkpoint.apply([{ kind: "opened", source: "s" }]);
    expect(await checkpoint.record("s", "complete")).toBe(false);
    expect(store.appends).toEqual([]);
  });

  test("gathers while an append is on its way: one alone, then all at once", async () => {
    const { checkpoint, store } = await open();
    const gate = Promise.withResolvers<void>();
    store.gate = gate.promise;
    for (let i = 0; i < 100; i++) drain(checkpoint, `s${i}`);
    const first = checkpoint.record("s0", "complete");
    await Promise.resolve();
    const rest = Array.from({ length: 99 }, (_, i) => checkpoint.record(`s${i + 1}`, "complete"));
    gate.resolve();
    expect(await Promise.all([first, ...rest])).toEqual(Array(100).fill(true));
    expect(store.appends).toEqual([1, 99]);
  });

  test("tries a refused append again and loses nothing", async () => {
    const { checkpoint, store, slept } = await open();
    store.refusals = 3;
    drain(checkpoint, "s");
    expect(await checkpoint.record("s", "complete")).toBe(true);
    expect(slept).toEqual([75, 150, 300]);
    expect(records(store.shelf)).toHaveLength(1);
  });

  test("gives up on a store that keeps refusing, and says so to all that wait", async () => {
    const { checkpoint, store } = await open();
    store.refusals = Infinity;
    drain(checkpoint, "a");
    drain(checkpoint, "b");
    const both = [checkpoint.record("a", "complete"), checkpoint.record("b", "complete")];
    expect(await Promise.all(both)).toEqual([false, false]);
    expect(checkpoint.failure).toMatchObject({ code: "CHECKPOINT_WRITE", subject: "shelf" });
    store.refusals = 0;
    expect(await checkpoint.record("a", "complete")).toBe(false);
    expect(records(store.shelf)).toEqual([]);
  });

  test("takes clocks that beat what other writers said", async () => {
    const { checkpoint, store } = await open();
    drain(checkpoint, "s");
    await checkpoint.record("s", "failed", { failure: "why" });
    const next = await open(new ScriptedStore(store.shelf, "w2"));
    drain(next.checkpoint, "s");
    await next.checkpoint.record("s", "complete");
    expect(records(store.shelf)).toMatchObject([{ state: "failed", clock: 1 }, {
      state: "complete",
      clock: 2,
    }]);
  });
});

describe("apply()", () => {
  test("undoes a completion durably when a fact contradicts it", async () => {
    const { checkpoint, store, warnings } = await open();
    drain(checkpoint, "s");
    await checkpoint.record("s", "complete");
    checkpoint.apply([{ kind: "expanded", source: "s", path: [], children: 2 }]);
    await checkpoint.flush();
    expect(records(store.shelf)).toMatchObject([{ state: "complete" }, {
      state: "reopened",
      clock: 2,
    }]);
    expect(warnings).toHaveLength(1);
    expect(warnings[0]!.message).toMatch(/source s: .*undone/);
    const next = await open(new ScriptedStore(store.shelf, "w2"));
    expect(next.checkpoint.areComplete([{ id: "s" }])).toEqual([false]);
  });

  test("does not record a source complete that was contradicted before its record", async () => {
    const { checkpoint, store } = await open();
    drain(checkpoint, "s");
    checkpoint.apply([{ kind: "drained", source: "s", path: [0] }]);
    expect(await checkpoint.record("s", "complete")).toBe(false);
    expect(records(store.shelf)).toEqual([]);
  });

  test("drops facts after close, and close twice does nothing", async () => {
    const { checkpoint } = await open();
    await checkpoint.close();
    await checkpoint.close();
    drain(checkpoint, "s");
    expect(checkpoint.isDrained("s")).toBe(false);
    expect(await checkpoint.record("s", "complete")).toBe(false);
  });

  test("warns of what is not a fact", async () => {
    const { checkpoint, warnings } = await open();
    checkpoint.apply([{ kind: "drained", source: "", path: [] }]);
    expect(warnings).toHaveLength(1);
  });
});

describe("refresh()", () => {
  test("sees what another writer added since", async () => {
    const shelf = new Shelf();
    const a = await open(new ScriptedStore(shelf, "a"));
    const b = await open(new ScriptedStore(shelf, "b"));
    drain(b.checkpoint, "s");
    await b.checkpoint.record("s", "complete");
    expect(a.checkpoint.areComplete([{ id: "s" }])).toEqual([false]);
    await a.checkpoint.refresh();
    expect(a.checkpoint.areComplete([{ id: "s" }])).toEqual([true]);
  });

  test("skips damaged records with a warning that names the file", async () => {
    const shelf = new Shelf();
    const good = encodeRecord({ source: "s", state: "complete", clock: 1, writer: "x", at: 0 });
    const bad = good.with(30, good[30]! ^ 1);
    shelf.logs.set("x", [bad, good, new Uint8Array(3)]);
    const { checkpoint, warnings } = await open(new ScriptedStore(shelf));
    expect(checkpoint.completeCount).toBe(1);
    expect(warnings).toEqual([{
      message: "shelf/x: 2 damaged records skipped; their sources run again",
      subject: "shelf/x",
    }]);
  });
});

describe("a refresh that takes long", () => {
  /** A store whose second reading waits in the middle. */
  class SlowStore extends ScriptedStore {
    readonly middle: PromiseWithResolvers<void> = Promise.withResolvers();
    reads = 0;

    override async *read(): AsyncGenerator<RecordBatch> {
      yield* super.read();
      if (this.reads++ === 0) return;
      const bad = { origin: "shelf/x", records: [new Uint8Array(3)] };
      yield bad;
      await this.middle.promise;
      yield bad;
      yield bad;
    }
  }

  test("is not begun twice at once", async () => {
    const store = new SlowStore();
    const { checkpoint } = await open(store);
    const both = [checkpoint.refresh(), checkpoint.refresh()];
    store.middle.resolve();
    await Promise.all(both);
    expect(store.reads).toBe(2);
    await checkpoint.refresh();
    expect(store.reads).toBe(3);
  });

  test("ends with close(), which waits for it and warns no more", async () => {
    const store = new SlowStore();
    const { checkpoint, warnings } = await open(store);
    let isOver = false;
    const refresh = checkpoint.refresh().then(() => isOver = true);
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(warnings).toHaveLength(1);
    const closed = checkpoint.close();
    store.middle.resolve();
    await closed;
    expect(isOver).toBe(true);
    expect(warnings).toHaveLength(1);
    await refresh;
  });
});

describe("the manifest", () => {
  const opening = (manifest: string, acceptChanged = false) => {
    const shelf = new Shelf();
    shelf.manifest = manifest;
    return Checkpoint.open({
      store: new ScriptedStore(shelf),
      host: { now: () => 0, random: () => 0, sleep: async () => {} },
      pipeline: "p",
      stages: ["a"],
      acceptChanged,
      onWarning: () => {},
    });
  };

  test.each([
    ["", "CHECKPOINT_MANIFEST"],
    ["{}", "CHECKPOINT_MANIFEST"],
    ["null", "CHECKPOINT_MANIFEST"],
    [`{"format":1,"pipeline":"p","stages":[1]}`, "CHECKPOINT_MANIFEST"],
    [`{"format":2}`, "CHECKPOINT_FORMAT"],
    [`{"format":1,"pipeline":"other","stages":["a"]}`, "CHECKPOINT_MISMATCH"],
    [`{"format":1,"pipeline":"p","stages":["a","b"]}`, "CHECKPOINT_MISMATCH"],
  ])("%s is refused with %s", async (manifest, code) => {
    await expect(opening(manifest)).rejects.toMatchObject({ code, subject: "shelf" });
  });

  test("of other stages is accepted when asked to", async () => {
    const manifest = `{"format":1,"pipeline":"other","stages":["a","b"]}`;
    await expect(opening(manifest, true)).resolves.toBeInstanceOf(Checkpoint);
  });
});

describe("a store object", () => {
  test("serves a second owner, which knows what the first one read and recorded", async () => {
    const shelf = new Shelf();
    const other = await open(new ScriptedStore(shelf, "other"));
    drain(other.checkpoint, "theirs");
    await other.checkpoint.record("theirs", "complete");
    const store = new ScriptedStore(shelf, "mine");
    const first = await open(store);
    drain(first.checkpoint, "ours");
    await first.checkpoint.record("ours", "complete");
    await first.checkpoint.close();
    const second = await open(store);
    expect(second.checkpoint.areComplete([{ id: "theirs" }, { id: "ours" }])).toEqual([true, true]);
  });

  test("that refused a record does not make a second owner believe it", async () => {
    const store = new ScriptedStore();
    const first = await open(store);
    store.refusals = Infinity;
    drain(first.checkpoint, "s");
    expect(await first.checkpoint.record("s", "complete")).toBe(false);
    const second = await open(store);
    expect(second.checkpoint.areComplete([{ id: "s" }])).toEqual([false]);
  });
});

test("a completion that is contradicted on its way to disk is undone after it", async () => {
  const { checkpoint, store } = await open();
  drain(checkpoint, "s");
  const recorded = checkpoint.record("s", "complete");
  checkpoint.apply([{ kind: "expanded", source: "s", path: [], children: 2 }]);
  expect(await recorded).toBe(true);
  await checkpoint.flush();
  expect(records(store.shelf)).toMatchObject([{ clock: 1 }, { state: "reopened", clock: 2 }]);
});
