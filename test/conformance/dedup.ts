import { assertIs } from "./assertions.ts";
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
      assertIs(union.completeCount, 1, "a record twice in a batch must make one source complete");
      assertIs(union.nextClock("s"), 2, "a record must come back with the clock that it had");
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
      assertIs(
        (await readUnion(await harness.open())).completeCount,
        2,
        "two sources must be complete, though one's record came in two batches",
      );
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
      assertIs(
        (await readUnion(await harness.open())).completeCount,
        1,
        "a record that three stores appended must make one source complete",
      );
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
      assertIs(union.completeCount, 1, "a record must be the same whoever reads it");
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
      assertIs(union.isComplete("undone"), false, "the later record of a source must be kept too");
      assertIs(union.isComplete("redone"), true, "the last record of a source must be kept too");
      assertIs(
        [union.nextClock("undone"), union.nextClock("redone")],
        [3, 4],
        "records must come back with the clocks that they had",
      );
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
      assertIs(
        owner.apply([...facts, ...facts]),
        [],
        "no source must be complete while a task is open",
      );
      assertIs(
        await owner.record("s", "complete"),
        false,
        "a source whose task is not drained must not be recorded as complete",
      );
      const last = { kind: "drained", source: "s", path: [1] } as const;
      assertIs(owner.apply([last, last]), ["s"], "the last task must complete its source once");
      assertIs(owner.apply([last, ...facts]), [], "facts again must complete nothing again");
      assertIs(await owner.record("s", "complete"), true, "append() must take the completion");
      await owner.close();
      await store.close();
      const union = await readUnion(await harness.open());
      assertIs(
        union.get("s"),
        { state: "complete", clock: 1 },
        "the completion must be there for the next store",
      );
    },
  },
  {
    name: "a source that two owners complete is complete once",
    needs: ["shared"],
    async run(harness) {
      const owners = [await openOwner(await harness.open()), await openOwner(await harness.open())];
      const recorded = await Promise.all(owners.map((owner) => completeSource(owner, "s")));
      assertIs(recorded, [true, true], "both stores' append() must take the completion");
      assertIs(
        (await readUnion(await harness.open())).completeCount,
        1,
        "a source that two writers completed must be complete once",
      );
    },
  },
];
