import { describe, expect, test } from "vitest";
import { failed, pipeline, type Stage } from "../../mod.ts";
import { ScriptedStore } from "./scripted_store.ts";

const tick = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

/** The numbers from 0, as sources named by themselves. */
const numbers = (count: number) =>
  pipeline("p").source(() => Array.from({ length: count }, (_, i) => i), { id: String });

describe("a sink that commits sources", () => {
  interface Log {
    readonly log: string[];
    readonly stage: Stage<number, unknown>;
  }
  const committing = (refuse: (id: string) => boolean): Log => {
    const log: string[] = [];
    return {
      log,
      stage: {
        name: "files",
        process: (t) => void log.push(`take ${t.payload}`),
        commitSource: async (s) => {
          await tick();
          if (refuse(s.id)) throw new Error("disk full");
          log.push(`commit ${s.id}`);
        },
        discardSource: (s) => void log.push(`discard ${s.id}`),
      },
    };
  };

  test("is told when a source drained, before it is recorded", async () => {
    const { log, stage } = committing(() => false);
    const store = new ScriptedStore();
    await numbers(2).flatMap((n) => [n, n]).sink(stage).run({
      checkpoint: store,
      maxOpenSources: 1,
      onEvent: (e) => e.type === "source-completed" && log.push(`complete ${e.source}`),
    });
    expect(log).toEqual([
      "take 0",
      "take 0",
      "commit 0",
      "complete 0",
      "take 1",
      "take 1",
      "commit 1",
      "complete 1",
    ]);
  });

  test("discards a source with a failed task, and one that it could not commit", async () => {
    const { log, stage } = committing((id) => id === "2");
    const { sources, failures } = await numbers(3).map((n) => (n === 1 ? failed("bad") : n))
      .sink(stage).run({ checkpoint: new ScriptedStore() });
    expect(sources).toMatchObject({ completed: 1, failed: 2 });
    expect(log.filter((l) => l.startsWith("discard")).toSorted()).toEqual([
      "discard 1",
      "discard 2",
    ]);
    expect(failures).toContainEqual({
      stage: "files",
      source: "2",
      task: "0_2",
      reason: "disk full",
    });
  });

  test("discards what is open when the run is given up", async () => {
    const { log, stage } = committing(() => false);
    await numbers(3).flatMap((n) => [n, n]).map(async (n) => {
      await tick();
      if (n === 1) throw new Error("no");
      return n;
    }).sink(stage).run({ failFast: true }).catch(() => {});
    expect(log.filter((l) => l.startsWith("discard")).length).toBeGreaterThanOrEqual(2);
    expect(
      log.filter((l) => l.startsWith("commit")).length +
        log.filter((l) => l.startsWith("discard")).length,
    ).toBe(3);
  });
});

describe("giving up while sources are being settled", () => {
  /** Source 0 drains at once; source 1 fails the run when it is told to. */
  const twoSources = () => {
    const fail = Promise.withResolvers<void>();
    const p = numbers(2).map(async (n) => {
      if (n === 1) {
        await fail.promise;
        throw new Error("no");
      }
      return n;
    });
    return { p, fail };
  };

  test("records the source whose commit is on its way, and does not discard it", async () => {
    const { p, fail } = twoSources();
    const log: string[] = [];
    const store = new ScriptedStore();
    const error = await p.sink({
      name: "files",
      process: () => {},
      commitSource: async (s) => {
        fail.resolve();
        for (let i = 0; i < 5; i++) await tick();
        log.push(`commit ${s.id}`);
      },
      discardSource: (s) => void log.push(`discard ${s.id}`),
      teardown: () => void log.push("teardown"),
    }).run({ checkpoint: store, failFast: true }).catch((e) => e);
    expect(log).toEqual(["discard 1", "commit 0", "teardown"]);
    expect(store.appends).toHaveLength(2);
    expect(error).toMatchObject({
      code: "RUN_ABORTED",
      report: { sources: { completed: 1, failed: 1, pending: 0, unrecorded: 0 } },
    });
  });

  test("counts the source whose record is on its way once", async () => {
    const { p, fail } = twoSources();
    const store = new ScriptedStore();
    const gate = Promise.withResolvers<void>();
    store.gate = gate.promise;
    const events: string[] = [];
    const error = await p.sink(() => void setTimeout(fail.resolve, 0)).run({
      checkpoint: store,
      failFast: true,
      onEvent: (e) => {
        if ("source" in e) events.push(`${e.type} ${e.source}`);
        if (e.type === "source-failed") setTimeout(gate.resolve, 0);
      },
    }).catch((e) => e);
    expect(error.report.sources).toMatchObject({ completed: 1, failed: 1, pending: 0 });
    expect(events.filter((e) => e.endsWith(" 0"))).toEqual([
      "source-opened 0",
      "source-completed 0",
    ]);
  });

  test("discards a source once, even if that is on its way already", async () => {
    const { p, fail } = twoSources();
    const log: string[] = [];
    await p.sink({
      name: "files",
      process: () => failed("refused"),
      commitSource: (s) => void log.push(`commit ${s.id}`),
      discardSource: async (s) => {
        fail.resolve();
        for (let i = 0; i < 5; i++) await tick();
        log.push(`discard ${s.id}`);
      },
    }).run({ maxFailures: 1 }).catch(() => {});
    expect(log.toSorted()).toEqual(["discard 0", "discard 1"]);
  });
});
