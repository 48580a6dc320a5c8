import assert from "node:assert/strict";
import { encodeRecord } from "../../core/record_codec.ts";
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
      assert.deepEqual(
        done.map((id) => union.get(id)),
        done.map(() => ({
          state: "complete",
          clock: 1,
        })),
      );
      assert.deepEqual(open.map((id) => union.get(id)?.failure), open);
      assert.equal(union.completeCount, new Set(done).size);
    },
  })),
  {
    name: "an empty id is refused, and its neighbours are stored",
    needs: [],
    async run(harness) {
      assert.throws(() => encodeRecord(statement("", "complete", 1)), { code: "RECORD_INVALID" });
      const store = await harness.open();
      const warnings: string[] = [];
      const owner = await openOwner(store, warnings);
      const recorded = await Promise.all([
        completeSource(owner, "before"),
        owner.record("", "failed"),
        completeSource(owner, "after"),
      ]);
      assert.deepEqual(recorded, [true, false, true]);
      assert.match(warnings.join(), /cannot be recorded/);
      await owner.close();
      await store.close();
      const next = await harness.open();
      const union = await readUnion(next);
      assert.deepEqual(["before", "after"].map((id) => union.isComplete(id)), [true, true]);
      assert.deepEqual(await readAll(next), []);
    },
  },
];
