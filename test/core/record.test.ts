import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type CheckpointRecord, RECORD_STATES } from "../../core/record.ts";
import { decodeRecord, encodeRecord } from "../../core/record_codec.ts";
import { crc32c } from "../../core/crc32c.ts";
import { settings } from "../property.ts";
import { anyRecord, anyText } from "./arbitraries.ts";

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
    const id = anyText.filter((s) => s !== "");
    fc.assert(
      fc.property(anyRecord(id), (r) => {
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
