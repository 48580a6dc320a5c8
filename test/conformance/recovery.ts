import assert from "node:assert/strict";
import type { ConformanceCase } from "./case.ts";
import { readAll } from "./records.ts";
import { completeSource, openOwner, readUnion } from "./statements.ts";

/** Facts that cannot hold beside those of `completeSource`. */
const contradiction = (source: string) =>
  [{ kind: "expanded", source, path: [], children: 5 }] as const;

/** What an anomaly that is found late does to what was recorded early. */
export const recoveryCases: readonly ConformanceCase[] = [
  {
    name: "a contradiction undoes a completion at once and after a restart",
    needs: [],
    async run(harness) {
      const store = await harness.open();
      const warnings: string[] = [];
      const owner = await openOwner(store, warnings);
      assert.equal(await completeSource(owner, "s"), true);
      assert.equal(await completeSource(owner, "t"), true);
      owner.apply(contradiction("s"));
      await owner.flush();
      assert.deepEqual(owner.areComplete([{ id: "s" }, { id: "t" }]), [false, true]);
      assert.match(warnings.join(), /s: .*undone/);
      await owner.close();
      await store.close();
      const next = await harness.open();
      assert.deepEqual((await readUnion(next)).get("s"), { state: "reopened", clock: 2 });
      await next.close();
      const again = await openOwner(await harness.open());
      assert.deepEqual(again.areComplete([{ id: "s" }, { id: "t" }]), [false, true]);
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
      assert.deepEqual(union.get("s"), { state: "reopened", clock: 2 });
    },
  },
  {
    name: "a contradiction before the completion keeps it from being recorded",
    needs: [],
    async run(harness) {
      const store = await harness.open();
      const owner = await openOwner(store);
      owner.apply([{ kind: "opened", source: "s" }, ...contradiction("s")]);
      assert.equal(await completeSource(owner, "s"), false);
      await owner.close();
      await store.close();
      assert.deepEqual(await readAll(await harness.open()), []);
    },
  },
  {
    name: "a source that another writer reopened stays reopened",
    needs: ["shared"],
    async run(harness) {
      const first = await openOwner(await harness.open());
      assert.equal(await completeSource(first, "s"), true);
      const other = await openOwner(await harness.open());
      assert.deepEqual(other.areComplete([{ id: "s" }]), [true]);
      await completeSource(other, "s");
      other.apply(contradiction("s"));
      await other.flush();
      await first.refresh();
      assert.deepEqual(first.areComplete([{ id: "s" }]), [false]);
      await Promise.all([first.close(), other.close()]);
      for (let restart = 0; restart < 2; restart++) {
        const store = await harness.open();
        assert.equal((await readUnion(store)).isComplete("s"), false);
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
      assert.deepEqual(later.areComplete([{ id: "s" }]), [false]);
      assert.equal(await completeSource(later, "s", 5), true);
      assert.deepEqual(later.areComplete([{ id: "s" }]), [true]);
      await later.close();
      await next.close();
      const union = await readUnion(await harness.open());
      assert.deepEqual(union.get("s"), { state: "complete", clock: 3 });
    },
  },
  {
    name: "a source that failed and completes later is complete",
    needs: [],
    async run(harness) {
      const store = await harness.open();
      const owner = await openOwner(store);
      assert.equal(await owner.record("s", "failed", { failure: "no \u{1f30a}\0" }), true);
      await owner.close();
      await store.close();
      const next = await harness.open();
      assert.deepEqual((await readUnion(next)).get("s"), {
        state: "failed",
        clock: 1,
        failure: "no \u{1f30a}\0",
      });
      await next.close();
      const last = await harness.open();
      const later = await openOwner(last);
      assert.equal(await completeSource(later, "s"), true);
      await later.close();
      await last.close();
      assert.equal((await readUnion(await harness.open())).isComplete("s"), true);
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
      assert.deepEqual(later.areComplete(versions), [true, false]);
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
      assert.equal(await completeSource(owner, "t"), false);
      await store.close();
      const union = await readUnion(await harness.open());
      assert.deepEqual([union.isComplete("s"), union.isComplete("t")], [true, false]);
    },
  },
];
