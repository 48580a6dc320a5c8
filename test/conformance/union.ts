import type { CheckpointRecord } from "../../core/record.ts";
import { Union } from "../../core/union.ts";
import { assertIs, assertNoWarnings, KILL_IS_NO_DAMAGE } from "./assertions.ts";
import type { ConformanceCase } from "./case.ts";
import { range } from "./records.ts";
import { appendStatements, readInto, readUnion, statement } from "./statements.ts";

const STATES = ["complete", "reopened", "failed"] as const;

/** Records of six writers about the same twelve sources, with clocks that cross and tie. */
const written: readonly (readonly CheckpointRecord[])[] = range(0, 6).map((writer) =>
  range(0, 12).map((source) =>
    statement(`s${source}`, STATES[(writer + source) % 3]!, 1 + (writer * source) % 4, {
      writer: `w${writer}`,
    })
  )
);

const standings = (union: Union) => range(0, 12).map((source) => union.get(`s${source}`));

function expectedUnion(logs: readonly (readonly CheckpointRecord[])[]): Union {
  const union = new Union();
  for (const record of logs.flat()) union.add(record);
  return union;
}

const ALL_OF_ALL = "read() must yield every record of every writer, unchanged";

/** What all writers' records say together. */
export const unionCases: readonly ConformanceCase[] = [
  {
    name: "the union of many writers does not depend on who opened first",
    needs: [],
    async run(harness) {
      const order = [4, 1, 5, 0, 3, 2];
      for (const writer of order) {
        const store = await harness.open();
        await appendStatements(store, ...written[writer]!);
        await store.close();
      }
      const union = await readUnion(await harness.open());
      assertIs(standings(union), standings(expectedUnion(written)), ALL_OF_ALL);
      assertIs(
        standings(expectedUnion(written)),
        standings(expectedUnion(written.toReversed())),
        "the engine's union must not depend on the order of writers",
      );
    },
  },
  {
    name: "the union is the same for every writer that is open",
    needs: ["shared"],
    async run(harness) {
      const stores = await Promise.all(written.map(() => harness.open()));
      await Promise.all(
        stores.map(async (store, writer) => {
          for (const record of written[writer]!) await appendStatements(store, record);
        }),
      );
      for (const [writer, store] of stores.entries()) {
        const union = await readInto(expectedUnion([written[writer]!]), store);
        assertIs(standings(union), standings(expectedUnion(written)), ALL_OF_ALL);
      }
    },
  },
  {
    name: "a tie of clocks goes to reopened, then complete, then failed",
    needs: [],
    async run(harness) {
      for (const states of [STATES, STATES.toReversed()]) {
        for (const state of states) {
          const store = await harness.open();
          await appendStatements(store, statement("all", state, 7));
          if (state !== "reopened") await appendStatements(store, statement("two", state, 7));
          await store.close();
        }
      }
      const union = await readUnion(await harness.open());
      assertIs(union.get("all")?.state, "reopened", ALL_OF_ALL);
      assertIs(union.get("two")?.state, "complete", ALL_OF_ALL);
    },
  },
  {
    name: "an old completion that is read late does not undo a reopening",
    needs: ["shared"],
    async run(harness) {
      const reader = await harness.open();
      const [first, second] = [await harness.open(), await harness.open()];
      await appendStatements(second, statement("s", "reopened", 2));
      const union = await readUnion(reader);
      assertIs(
        union.get("s")?.state,
        "reopened",
        "read() must yield what a store that is still open has appended",
      );
      await appendStatements(first, statement("s", "complete", 1));
      await readInto(union, reader);
      const undone = "a source must stay reopened, whichever writer's records are read first";
      assertIs(union.isComplete("s"), false, undone);
      assertIs((await readUnion(await harness.open())).isComplete("s"), false, undone);
    },
  },
  {
    name: "a writer that adds after the union was read is seen by the next read()",
    needs: ["shared"],
    async run(harness) {
      const [reader, writer] = [await harness.open(), await harness.open()];
      await appendStatements(writer, statement("a", "complete", 1));
      const union = await readUnion(reader);
      await appendStatements(writer, statement("b", "complete", 1), statement("a", "reopened", 2));
      const late = await harness.open();
      await appendStatements(late, statement("c", "complete", 1));
      await readInto(union, reader);
      assertIs(
        ["a", "b", "c"].map((id) => union.isComplete(id)),
        [false, true, true],
        "read() again must yield what old and new writers have appended since",
      );
    },
  },
  {
    name: "the union of a writer in another process that is still writing grows",
    needs: ["shared", "durable", "processes"],
    async run(harness) {
      const reader = await harness.open();
      const writer = await harness.start();
      const union = new Union();
      for (let batch = 0; batch < 20; batch++) {
        const records = range(batch * 5, 5).map((n) => statement(`s${n}`, "complete", 1));
        await writer.ask({ do: "state", records });
        await readInto(union, reader);
        assertIs(
          union.completeCount,
          (batch + 1) * 5,
          "read() must yield a batch once append() has resolved in another process",
        );
      }
      await writer.kill();
      await readInto(union, reader);
      assertIs(
        union.completeCount,
        100,
        "read() must yield no more and no less after the writer was killed",
      );
      assertNoWarnings(harness, KILL_IS_NO_DAMAGE);
    },
  },
];
