import { Buffer } from "node:buffer";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { BLOCK_OVERHEAD, blocksOf, recordsOf } from "../../stores/record_block.ts";
import { settings } from "../property.ts";

const record = fc.oneof(
  fc.uint8Array({ maxLength: 300 }),
  fc.integer({ min: 0, max: 40_000 }).map((length) => new Uint8Array(length).fill(length)),
);
const records = fc.array(record, { maxLength: 60 });
const identity = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const place = fc.integer({ min: 1, max: 2 ** 40 });

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

function readAll(blocks: readonly Uint8Array[], file: number | undefined, first: number): string[] {
  return blocks.flatMap((block, index) =>
    recordsOf(block, file, first + index)?.map(hex) ?? ["damaged"]
  );
}

describe("blocksOf()", () => {
  test("and recordsOf() give the same records, whether the file is known or not", () => {
    fc.assert(
      fc.property(records, identity, place, (all, file, first) => {
        const blocks = blocksOf(all, file, first);
        const expected = all.map(hex);
        expect(readAll(blocks, file, first)).toEqual(expected);
        expect(readAll(blocks, undefined, 1)).toEqual(expected);
      }),
      settings(300),
    );
  });

  test("makes blocks of which two fit into a page, unless a record is longer", () => {
    fc.assert(
      fc.property(records, (all) => {
        const shared = blocksOf(all, 1, 1)
          .filter((block, index) => recordsOf(block, 1, 1 + index)!.length > 1);
        for (const { length } of shared) expect(length).toBeLessThan(2_000);
        const bytes = all.reduce((sum, { length }) => sum + length + BLOCK_OVERHEAD, 0);
        const used = blocksOf(all, 1, 1).reduce((sum, { length }) => sum + length, 0);
        expect(used).toBeLessThanOrEqual(bytes);
      }),
      settings(300),
    );
  });

  test("shares no memory with the records", () => {
    const given = new Uint8Array([1, 2, 3]);
    const [block] = blocksOf([given], 1, 1);
    given.fill(9);
    expect(recordsOf(block!, 1, 1)).toEqual([new Uint8Array([1, 2, 3])]);
  });
});

describe("recordsOf()", () => {
  const [block] = blocksOf([1, 2, 3].map((n) => new Uint8Array(20).fill(n)), 7, 5);

  test("takes no block of another file or from another place", () => {
    expect(recordsOf(block!, 7, 5)).toHaveLength(3);
    expect(recordsOf(block!, 8, 5)).toBeUndefined();
    expect(recordsOf(block!, 7, 6)).toBeUndefined();
    expect(recordsOf(block!, 7, 5 + 2 ** 32)).toBeUndefined();
  });

  test("takes no block that lost, gained or swapped records", () => {
    const [a, b, c] = [block!.subarray(0, 21), block!.subarray(21, 42), block!.subarray(42, 63)];
    const tag = block!.subarray(63);
    const joined = (...parts: readonly Uint8Array[]) =>
      Uint8Array.from(parts.flatMap((part) => [...part]));
    expect(recordsOf(joined(a, b, c, tag), 7, 5)).toHaveLength(3);
    for (const parts of [[a, b], [a, c], [b, c, a], [a, b, c, c], [a, a, c], []]) {
      expect(recordsOf(joined(...parts, tag), 7, 5)).toBeUndefined();
    }
    for (let length = 0; length < block!.length; length++) {
      expect(recordsOf(block!.subarray(0, length), 7, 5)).toBeUndefined();
    }
  });

  test("takes no more than one record of a block that is longer than ours are", () => {
    expect(recordsOf(new Uint8Array(1_900), undefined, 1)).toHaveLength(1_896);
    expect(recordsOf(new Uint8Array(100_000), undefined, 1)).toBeUndefined();
  });

  test("takes no length without an end", () => {
    const endless = new Uint8Array(400).fill(0x80, 0, 300);
    expect(recordsOf(endless, undefined, 1)).toBeUndefined();
    expect(recordsOf(endless.subarray(0, 300), undefined, 1)).toBeUndefined();
  });

  test("never throws, whatever it is given", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.option(identity), (bytes, file) => {
        const found = recordsOf(bytes, file ?? undefined, 1);
        const length = (found ?? []).reduce((sum, r) => sum + r.length, 0);
        expect(length).toBeLessThanOrEqual(bytes.length);
      }),
      settings(2_000),
    );
  });
});
