import assert from "node:assert/strict";
import type { ConformanceCase } from "./case.ts";
import {
  appendStatements,
  completeSource,
  openOwner,
  readInto,
  readUnion,
  statement,
} from "./statements.ts";

const complete = statement("s", "complete", 1);

/** What is said twice counts once. */
export const dedupCases: readonly ConformanceCase[] = [
  {
    name: "a record twice in one batch counts once",
    needs: [],
    async run(harness) {
      const store = await harness.open();
      await appendStatements(store, complete, complete);
      await store.close();
      const union = await readUnion(await harness.open());
      assert.equal(union.completeCount, 1);
      assert.equal(union.nextClock("s"), 2);
    },
  },
  {
    name: "a record twice in two batches counts once",
    needs: [],
    async run(harness) {
      const store = await harness.open();
      await appendStatements(store, complete);
      await appendStatements(store, complete, statement("t", "complete", 1));
      await store.close();
      assert.equal((await readUnion(await harness.open())).completeCount, 2);
    },
  },
  {
    name: "a record again after a reopen counts once",
    needs: [],
    async run(harness) {
      for (let time = 0; time < 3; time++) {
        const store = await harness.open();
        await appendStatements(store, complete);
        await store.close();
      }
      assert.equal((await readUnion(await harness.open())).completeCount, 1);
    },
  },
  {
    name: "a record that is read again counts once",
    needs: ["shared"],
    async run(harness) {
      const writer = await harness.open();
      const reader = await harness.open();
      await appendStatements(writer, complete);
      const union = await readUnion(reader);
      await readInto(union, reader);
      await readInto(union, await harness.open());
      assert.equal(union.completeCount, 1);
    },
  },
  {
    name: "several records of one source in a batch count by their clocks",
    needs: [],
    async run(harness) {
      const store = await harness.open();
      await appendStatements(
        store,
        statement("undone", "complete", 1),
        statement("redone", "complete", 1),
        statement("undone", "reopened", 2),
        statement("redone", "reopened", 2),
        statement("redone", "complete", 3),
      );
      await store.close();
      const union = await readUnion(await harness.open());
      assert.equal(union.isComplete("undone"), false);
      assert.equal(union.isComplete("redone"), true);
      assert.deepEqual([union.nextClock("undone"), union.nextClock("redone")], [3, 4]);
    },
  },
  {
    name: "a task's fact twice is recorded once",
    needs: [],
    async run(harness) {
      const store = await harness.open();
      const owner = await openOwner(store);
      const facts = [
        { kind: "opened", source: "s" },
        { kind: "expanded", source: "s", path: [], children: 2 },
        { kind: "drained", source: "s", path: [0] },
        { kind: "drained", source: "s", path: [0] },
      ] as const;
      assert.deepEqual(owner.apply([...facts, ...facts]), []);
      assert.equal(await owner.record("s", "complete"), false, "one task is not drained");
      const last = { kind: "drained", source: "s", path: [1] } as const;
      assert.deepEqual(owner.apply([last, last]), ["s"]);
      assert.deepEqual(owner.apply([last, ...facts]), []);
      assert.equal(await owner.record("s", "complete"), true);
      await owner.close();
      await store.close();
      const union = await readUnion(await harness.open());
      assert.deepEqual(union.get("s"), { state: "complete", clock: 1 });
    },
  },
  {
    name: "a source that two owners complete is complete once",
    needs: ["shared"],
    async run(harness) {
      const owners = [await openOwner(await harness.open()), await openOwner(await harness.open())];
      const recorded = await Promise.all(owners.map((owner) => completeSource(owner, "s")));
      assert.deepEqual(recorded, [true, true]);
      assert.equal((await readUnion(await harness.open())).completeCount, 1);
    },
  },
];
