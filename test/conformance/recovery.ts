import assert from "node:assert/strict";
import { assertIs, assertSameRecords } from "./assertions.ts";
import type { ConformanceCase } from "./case.ts";
import { readAll } from "./records.ts";
import { completeSource, openOwner, readUnion } from "./statements.ts";

/** Facts that cannot hold beside those of `completeSource`. */
const contradiction = (source: string) =>
  [{ kind: "expanded", source, path: [], children: 5 }] as const;

const TAKEN = "append() must take the record, so that the engine counts it";
const KEPT = "the newest record of a source must be there for the next store";
const UNDONE = "the record that reopens a source must be kept, and outweigh its completion";

/** What an anomaly that is found late does to what was recorded early. */
export const recoveryCases: readonly ConformanceCase[] = [
  {
    name: "a contradiction undoes a completion at once and after a restart",
    needs: [],
    async run(harness) {
      const store = await harness.open();
      const warnings: string[] = [];
      const owner = await openOwner(store, warnings);
      assertIs(await completeSource(owner, "s"), true, TAKEN);
      assertIs(await completeSource(owner, "t"), true, TAKEN);
      owner.apply(contradiction("s"));
      await owner.flush();
      assertIs(owner.areComplete([{ id: "s" }, { id: "t" }]), [false, true], UNDONE);
      assert.match(warnings.join(), /s: .*undone/, "the engine must warn of what it undoes");
      await owner.close();
      await store.close();
      const next = await harness.open();
      assertIs((await readUnion(next)).get("s"), { state: "reopened", clock: 2 }, UNDONE);
      await next.close();
      const again = await openOwner(await harness.open());
      assertIs(again.areComplete([{ id: "s" }, { id: "t" }]), [false, true], UNDONE);
    },
  },
  {
    name: "a contradiction undoes a completion that is on its way to disk",
    needs: [],
    async run(harness) {
      const store = await harness.open();
      const owner = await openOwner(store);
      const recording = completeSource(owner, "s");
      owner.apply(contradiction("s"));
      await recording;
      await owner.close();
      await store.close();
      const union = await readUnion(await harness.open());
      assertIs(union.get("s"), { state: "reopened", clock: 2 }, UNDONE);
    },
  },
  {
    name: "a contradiction before the completion keeps it from being recorded",
    needs: [],
    async run(harness) {
      const store = await harness.open();
      const owner = await openOwner(store);
      owner.apply([{ kind: "opened", source: "s" }, ...contradiction("s")]);
      assertIs(
        await completeSource(owner, "s"),
        false,
        "the engine must not record a source as complete after facts that contradict it",
      );
      await owner.close();
      await store.close();
      assertSameRecords(
        await readAll(await harness.open()),
        [],
        "what was not recorded must not be read",
      );
    },
  },
  {
    name: "a source that another writer reopened stays reopened",
    needs: ["shared"],
    async run(harness) {
      const first = await openOwner(await harness.open());
      assertIs(await completeSource(first, "s"), true, TAKEN);
      const other = await openOwner(await harness.open());
      assertIs(other.areComplete([{ id: "s" }]), [true], KEPT);
      await completeSource(other, "s");
      other.apply(contradiction("s"));
      await other.flush();
      await first.refresh();
      assertIs(first.areComplete([{ id: "s" }]), [false], UNDONE);
      await Promise.all([first.close(), other.close()]);
      for (let restart = 0; restart < 2; restart++) {
        const store = await harness.open();
        assertIs((await readUnion(store)).isComplete("s"), false, UNDONE);
        await store.close();
      }
    },
  },
  {
    name: "a reopened source that completes again is complete",
    needs: [],
    async run(harness) {
      const store = await harness.open();
      const owner = await openOwner(store);
      await completeSource(owner, "s");
      owner.apply(contradiction("s"));
      await owner.close();
      await store.close();
      const next = await harness.open();
      const later = await openOwner(next);
      assertIs(later.areComplete([{ id: "s" }]), [false], UNDONE);
      assertIs(await completeSource(later, "s", 5), true, TAKEN);
      assertIs(later.areComplete([{ id: "s" }]), [true], TAKEN);
      await later.close();
      await next.close();
      const union = await readUnion(await harness.open());
      assertIs(union.get("s"), { state: "complete", clock: 3 }, KEPT);
    },
  },
  {
    name: "a source that failed and completes later is complete",
    needs: [],
    async run(harness) {
      const store = await harness.open();
      const owner = await openOwner(store);
      assertIs(await owner.record("s", "failed", { failure: "no \u{1f30a}\0" }), true, TAKEN);
      await owner.close();
      await store.close();
      const next = await harness.open();
      assertIs((await readUnion(next)).get("s"), {
        state: "failed",
        clock: 1,
        failure: "no \u{1f30a}\0",
      }, KEPT);
      await next.close();
      const last = await harness.open();
      const later = await openOwner(last);
      assertIs(await completeSource(later, "s"), true, TAKEN);
      await later.close();
      await last.close();
      assertIs((await readUnion(await harness.open())).isComplete("s"), true, KEPT);
    },
  },
  {
    name: "a completion counts in its version only",
    needs: [],
    async run(harness) {
      const store = await harness.open();
      const owner = await openOwner(store);
      await completeSource(owner, "s", 2, "etag 1");
      await owner.close();
      await store.close();
      const later = await openOwner(await harness.open());
      const versions = ["etag 1", "etag 2"].map((version) => ({ id: "s", version }));
      assertIs(
        later.areComplete(versions),
        [true, false],
        "a completion's version must come back as it was appended",
      );
    },
  },
  {
    name: "facts and statements after the owner's close() are dropped",
    needs: [],
    async run(harness) {
      const store = await harness.open();
      const owner = await openOwner(store);
      await completeSource(owner, "s");
      await owner.close();
      await owner.close();
      owner.apply(contradiction("s"));
      assertIs(
        await completeSource(owner, "t"),
        false,
        "the engine must record nothing after its owner's close()",
      );
      await store.close();
      const union = await readUnion(await harness.open());
      assertIs(
        [union.isComplete("s"), union.isComplete("t")],
        [true, false],
        "what came before the owner's close() must be there, and nothing that came after it",
      );
    },
  },
];
