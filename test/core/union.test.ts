import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { crc32c } from "../../core/crc32c.ts";
import { type CheckpointRecord, compareStandings, type Standing } from "../../core/record.ts";
import { encodeRecord } from "../../core/record_codec.ts";
import { Union } from "../../core/union.ts";
import { settings } from "../property.ts";
import { anyRecord, anyText } from "./arbitraries.ts";

function standingOf({ state, clock, version, failure }: CheckpointRecord): Standing {
  return {
    state,
    clock,
    ...(version === undefined ? {} : { version }),
    ...(failure === undefined ? {} : { failure }),
  };
}

describe("Union", () => {
  const records = fc.array(anyRecord(fc.constantFrom("a", "b", "__proto__")), { maxLength: 12 });
  const unionOf = (all: readonly CheckpointRecord[]) => {
    const union = new Union();
    for (const r of all) union.add(r);
    return ["a", "b", "__proto__"].map((s) => union.get(s)).concat([union.completeCount as never]);
  };

  test("is commutative, associative and idempotent", () => {
    fc.assert(
      fc.property(records, fc.infiniteStream(fc.nat()), (all, random) => {
        const shuffled = all.map((r) => [random.next().value, r] as const)
          .toSorted(([a], [b]) => a - b).map(([, r]) => r);
        expect(unionOf(shuffled)).toEqual(unionOf(all));
        expect(unionOf([...all, ...shuffled])).toEqual(unionOf(all));
      }),
      settings(3_000),
    );
  });

  test("says of any sources what a map of the prevailing records says", () => {
    fc.assert(
      fc.property(fc.array(anyRecord(anyText), { maxLength: 60 }), anyText, (all, other) => {
        const union = new Union();
        const model = new Map<string, CheckpointRecord>();
        for (const r of all) {
          const known = model.get(r.source);
          const prevails = known === undefined || compareStandings(r, known) > 0;
          expect(union.add(r)).toBe(prevails);
          if (prevails) model.set(r.source, r);
        }
        for (const source of [other, ...all.map((r) => r.source)]) {
          const r = model.get(source);
          expect(union.get(source)).toEqual(r && standingOf(r));
          expect(union.nextClock(source)).toBe((r?.clock ?? 0) + 1);
          for (const version of [undefined, "", "v1", "v2", other]) {
            expect(union.isComplete(source, version)).toBe(
              r?.state === "complete" && (version === undefined || r.version === version),
            );
          }
        }
        const complete = [...model.values()].filter((r) => r.state === "complete");
        expect(union.completeCount).toBe(complete.length);
      }),
      settings(1_000),
    );
  });

  test("says the same of records as they lie in a store", () => {
    fc.assert(
      fc.property(
        fc.array(anyRecord(anyText.filter((s) => s !== "")), { maxLength: 60 }),
        (all) => {
          const union = new Union();
          const encoded = new Union();
          for (const r of all) {
            union.add(r);
            expect(encoded.addEncoded(encodeRecord(r))).toBeUndefined();
          }
          for (const { source } of all) expect(encoded.get(source)).toEqual(union.get(source));
          expect(encoded.completeCount).toBe(union.completeCount);
        },
      ),
      settings(500),
    );
  });

  test("takes nothing of a record that is damaged or of a newer format", () => {
    const sound = encodeRecord({ source: "aé", state: "complete", clock: 1, writer: "w", at: 0 });
    const sealed = (change: (bytes: Uint8Array) => void) => {
      const bytes = sound.slice();
      change(bytes);
      new DataView(bytes.buffer).setUint32(0, crc32c(bytes, 4), true);
      return bytes;
    };
    const union = new Union();
    expect(union.addEncoded(sound.subarray(1))).toBe("damaged");
    expect(union.addEncoded(sealed((bytes) => bytes[4] = 2))).toBe("newer");
    // The second half of "é" alone is not UTF-8.
    expect(union.addEncoded(sealed((bytes) => bytes[28] = 0xa9))).toBe("damaged");
    expect(union.completeCount).toBe(0);
    expect(union.addEncoded(sound)).toBeUndefined();
    expect(union.isComplete("aé")).toBe(true);
  });

  test("lets the highest clock win; at a tie complete beats failed and reopened beats both", () => {
    const say = (state: CheckpointRecord["state"], clock: number): CheckpointRecord => ({
      source: "a",
      state,
      clock,
      writer: "w",
      at: 0,
    });
    const winner = (...all: CheckpointRecord[]) => {
      const union = new Union();
      for (const r of all) union.add(r);
      return union.get("a")!.state;
    };
    expect(winner(say("complete", 1), say("failed", 1))).toBe("complete");
    expect(winner(say("reopened", 1), say("complete", 1))).toBe("reopened");
    expect(winner(say("reopened", 2), say("complete", 1))).toBe("reopened");
    expect(winner(say("complete", 3), say("reopened", 2))).toBe("complete");
  });

  test("counts a completion only in the version that was asked for", () => {
    const union = new Union();
    union.add({ source: "a", state: "complete", clock: 1, writer: "w", at: 0, version: "v1" });
    expect(union.isComplete("a")).toBe(true);
    expect(union.isComplete("a", "v1")).toBe(true);
    expect(union.isComplete("a", "v2")).toBe(false);
    expect(union.completeCount).toBe(1);
  });
});
