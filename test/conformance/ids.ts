import assert from "node:assert/strict";
import { encodeRecord } from "../../core/record_codec.ts";
import { assertIs, assertSameRecords } from "./assertions.ts";
import type { ConformanceCase } from "./case.ts";
import { range, readAll } from "./records.ts";
import { appendStatements, completeSource, openOwner, readUnion, statement } from "./statements.ts";

const PLANES = 17;
const control = String.fromCodePoint(...range(0, 32), 127, ...range(128, 32));

/** Ids that data may hold, each named. */
const IDS: Readonly<Record<string, readonly string[]>> = {
  "of 10,000 characters": ["x".repeat(10_000), `${"x".repeat(9_999)}y`, "\u{1f30a}".repeat(5_000)],
  "of every Unicode plane": range(0, PLANES).flatMap((plane) => [
    String.fromCodePoint(plane * 0x10000 + 0x1234),
    String.fromCodePoint(plane * 0x10000 + 0xffff),
  ]),
  "that Unicode could take for each other": ["é", "e\u0301", "ﬁ", "fi", "I", "ı", "K", "\u212a"],
  "that half a character ends": ["a\ud83c", "\udf0aa", "\ud83c\ud83c"],
  "named like parts of an object": ["__proto__", "constructor", "toString", "hasOwnProperty"],
  "with control characters": [control, ...control.split(""), "a\0", "a\0b", "a"],
  "that look like lineage or paths": [
    "a_1",
    "b_1",
    "a/1",
    "a_1_0",
    "../a",
    "/a",
    "a\\b",
    "#0",
    "0",
  ],
  "that look like SQL": ["'; drop table record; --", '"', "%", "a%", "?1", "null"],
};

const AS_IT_WAS = "records of ids of any text must come back byte by byte as they were appended";

/** Source ids are any text, and what a store keeps of one says nothing of another. */
export const idCases: readonly ConformanceCase[] = [
  ...Object.entries(IDS).map(([what, ids]): ConformanceCase => ({
    name: `ids ${what} come back as they were`,
    needs: [],
    async run(harness) {
      const [done, open] = [ids.filter((_, i) => i % 2 === 0), ids.filter((_, i) => i % 2 === 1)];
      const store = await harness.open();
      await appendStatements(store, ...done.map((id) => statement(id, "complete", 1)));
      for (const id of open) {
        await appendStatements(store, statement(id, "failed", 1, { failure: id, version: id }));
      }
      await store.close();
      const union = await readUnion(await harness.open());
      for (const id of done) assertIs(union.get(id), { state: "complete", clock: 1 }, AS_IT_WAS);
      for (const id of open) assertIs(union.get(id)?.failure, id, AS_IT_WAS);
      assertIs(
        union.completeCount,
        new Set(done).size,
        "ids that differ in any bit must stay different",
      );
    },
  })),
  {
    name: "an empty id is refused, and its neighbours are stored",
    needs: [],
    async run(harness) {
      assert.throws(
        () => encodeRecord(statement("", "complete", 1)),
        { code: "RECORD_INVALID" },
        "the engine must refuse to encode an empty id, with the code RECORD_INVALID",
      );
      const store = await harness.open();
      const warnings: string[] = [];
      const owner = await openOwner(store, warnings);
      const recorded = await Promise.all([
        completeSource(owner, "before"),
        owner.record("", "failed"),
        completeSource(owner, "after"),
      ]);
      assertIs(
        recorded,
        [true, false, true],
        "append() must take the records beside a refused one",
      );
      assert.match(warnings.join(), /cannot be recorded/, "the engine must warn of the refused id");
      await owner.close();
      await store.close();
      const next = await harness.open();
      const union = await readUnion(next);
      assertIs(
        ["before", "after"].map((id) => union.isComplete(id)),
        [true, true],
        "the records beside a refused one must be there for the next store",
      );
      assertSameRecords(
        await readAll(next),
        [],
        "read() again must not yield what it has yielded before",
      );
    },
  },
];
