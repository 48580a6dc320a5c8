import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CheckpointRecord, RECORD_STATES } from "../../core/record.ts";
import { decodeRecord, encodeRecord } from "../../core/record_codec.ts";
import { crc32c } from "../../core/crc32c.ts";
import { Union } from "../../core/union.ts";
import { settings } from "../property.ts";

const text = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }));
const lone = fc.array(fc.integer({ min: 0, max: 0xffff }), { minLength: 1, maxLength: 5 })
  .map((units) => String.fromCharCode(...units));

const record = (source: fc.Arbitrary<string>): fc.Arbitrary<CheckpointRecord> =>
  fc.record(
    {
      source,
      state: fc.constantFrom(...RECORD_STATES),
      clock: fc.integer({ min: 1, max: 4 }),
      writer: fc.constantFrom("a", "b"),
      at: fc.nat(),
      version: fc.constantFrom("", "v1", "v2"),
      failure: text,
    },
    { requiredKeys: ["source", "state", "clock", "writer", "at"] },
  );

function encoded(overrides: Partial<CheckpointRecord> = {}): Uint8Array {
  return encodeRecord({
    source: "s",
    state: "complete",
    clock: 1,
    writer: "w",
    at: 0,
    ...overrides,
  });
}

describe("encodeRecord()", () => {
  test("and decodeRecord() give the same record for every text", () => {
    const id = fc.oneof(text.filter((s) => s !== ""), lone);
    fc.assert(
      fc.property(record(id), (r) => {
        expect(decodeRecord(encodeRecord(r))).toEqual(r);
      }),
      settings(3_000),
    );
  });

  test.each(["__proto__", "a_b/c", "\u0000\u001b[31m", "𝒳🜁", "\ud800", "x".repeat(10_000)])(
    "takes the id %j",
    (source) => expect(decodeRecord(encoded({ source }))).toMatchObject({ source }),
  );

  test("leaves what it gave before as it was", () => {
    const texts = ["s", "é".repeat(3_000), "x".repeat(9_000), "\ud800", "s"];
    const records = Array.from({ length: 500 }, (_, i) => ({
      source: `${i}${texts[i % texts.length]}`,
      state: RECORD_STATES[i % 3]!,
      clock: i + 1,
      writer: i % 7 === 0 ? "é" : `writer ${i % 4}`,
      at: i,
    }));
    const all = records.map(encodeRecord);
    expect(all.map(decodeRecord)).toEqual(records);
  });

  test("refuses an empty id and clocks out of range", () => {
    const code = "RECORD_INVALID";
    expect(() => encoded({ source: "" })).toThrow(expect.objectContaining({ code }));
    for (const clock of [0, -1, 1.5, Number.NaN, 2 ** 53]) {
      expect(() => encoded({ clock })).toThrow(expect.objectContaining({ code }));
    }
  });
});

describe("decodeRecord()", () => {
  test("refuses every flipped bit and every truncation", () => {
    const bytes = encoded({ source: "some/source", version: "v", failure: "why" });
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3]! ^= 1 << (bit & 7);
      expect(decodeRecord(flipped)).toBe("damaged");
    }
    for (let length = 0; length < bytes.length; length++) {
      expect(decodeRecord(bytes.subarray(0, length))).toBe("damaged");
    }
  });

  test("never throws and never invents a record", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        expect(decodeRecord(bytes)).toBe("damaged");
      }),
      settings(3_000),
    );
  });

  test("tells a sound record of a newer format", () => {
    const bytes = encoded();
    bytes[4] = 2;
    new DataView(bytes.buffer, bytes.byteOffset).setUint32(0, crc32c(bytes, 4), true);
    expect(decodeRecord(bytes)).toBe("newer");
  });
});

describe("crc32c()", () => {
  test("is the remainder that bit-by-bit division gives, from any start", () => {
    const divided = (bytes: Uint8Array): number => {
      let crc = 0xffff_ffff;
      for (const byte of bytes) {
        crc ^= byte;
        for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f6_3b78 : crc >>> 1;
      }
      return ~crc >>> 0;
    };
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.nat(20), (bytes, start) => {
        expect(crc32c(bytes, start)).toBe(divided(bytes.subarray(start)));
      }),
      settings(500),
    );
  });

  test("gives the check value of RFC 3720", () => {
    expect(crc32c(new TextEncoder().encode("123456789"))).toBe(0xe3069283);
  });
});

describe("Union", () => {
  const records = fc.array(record(fc.constantFrom("a", "b", "__proto__")), { maxLength: 12 });
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
