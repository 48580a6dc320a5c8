import { assertNoWarnings, assertNumbers, assertSameRecords } from "./assertions.ts";
import type { ConformanceCase } from "./case.ts";
import { numbered, numberedRange, range, readAll, readNumbers, scrambled } from "./records.ts";

/** What `append()` must do. */
export const appendCases: readonly ConformanceCase[] = [
  {
    name: "append() keeps records for the next store",
    needs: [],
    async run(harness) {
      const first = await harness.open();
      await first.append(numberedRange(0, 3));
      await first.append([numbered(3)]);
      await first.close();
      const second = await harness.open();
      assertNumbers(
        await readNumbers(second),
        range(0, 4),
        "the next store's read() must yield all that was appended, in its order",
      );
    },
  },
  {
    name: "append() of nothing does nothing",
    needs: [],
    async run(harness) {
      const store = await harness.open();
      await store.append([]);
      await store.append([numbered(1)]);
      await store.append([]);
      await store.close();
      assertNumbers(
        await readNumbers(await harness.open()),
        [1],
        "append([]) must resolve and add no record",
      );
    },
  },
  {
    name: "append() keeps a batch of one empty record",
    needs: [],
    async run(harness) {
      const store = await harness.open();
      await store.append([new Uint8Array(0)]);
      await store.close();
      assertSameRecords(
        await readAll(await harness.open()),
        [new Uint8Array(0)],
        "a record without bytes is a record and must be kept",
      );
    },
  },
  {
    name: "append() keeps the order within a batch and between batches",
    needs: [],
    async run(harness) {
      const store = await harness.open();
      // Neither up nor down, so that no sorting of any kind goes unnoticed.
      const numbers = range(0, 600).map((n) => (n * 7919) % 601);
      for (let start = 0; start < 600; start += 60) {
        await store.append(numbers.slice(start, start + 60).map((n) => numbered(n)));
      }
      await store.close();
      assertNumbers(
        await readNumbers(await harness.open()),
        numbers,
        "read() must yield records in the order in which they were appended",
      );
    },
  },
  {
    name: "append() keeps a batch of 70,000 records",
    needs: [],
    async run(harness) {
      const store = await harness.open();
      await store.append(numberedRange(0, 70_000, 80));
      await store.close();
      assertNumbers(
        await readNumbers(await harness.open()),
        range(0, 70_000),
        "a batch of any size must be kept whole",
      );
    },
  },
  {
    name: "append() keeps bytes of every value and every length",
    needs: [],
    async run(harness) {
      const records = [
        new Uint8Array(0),
        Uint8Array.from({ length: 256 }, (_, byte) => byte),
        ...Array.from({ length: 256 }, (_, byte) => Uint8Array.of(byte)),
        new Uint8Array(4096).fill(0xff),
        ...[2, 3, 100, 1000, 1978, 1979, 2000, 2020, 2040, 4000, 4071, 4072, 4073, 4074].map(
          (length) => scrambled(length, length),
        ),
        ...[4095, 4096, 4097, 8191, 8192, 8193, 65_535, 65_536, 131_072, 262_145].map((length) =>
          scrambled(length, length)
        ),
        scrambled(1 << 20, 7),
        Uint8Array.of(1),
      ];
      const store = await harness.open();
      await store.append(records);
      await store.close();
      assertSameRecords(
        await readAll(await harness.open()),
        records,
        "records of any length and any bytes must come back as they were",
      );
      assertNoWarnings(harness);
    },
  },
  {
    name: "append() keeps a part of a larger buffer",
    needs: [],
    async run(harness) {
      const buffer = scrambled(1000, 3);
      const parts = [buffer.subarray(10, 20), buffer.subarray(0, 0), buffer.subarray(990)];
      const store = await harness.open();
      await store.append(parts);
      await store.close();
      assertSameRecords(
        await readAll(await harness.open()),
        parts,
        "of a record that is a view of a larger buffer only the viewed bytes must be kept",
      );
    },
  },
  {
    name: "append() is not affected by what becomes of the bytes afterwards",
    needs: [],
    async run(harness) {
      const record = numbered(5);
      const store = await harness.open();
      await store.append([record]);
      record.fill(0xee);
      await store.append([numbered(6)]);
      await store.close();
      assertNumbers(
        await readNumbers(await harness.open()),
        [5, 6],
        "append() must keep a copy: its caller may overwrite the bytes once it has resolved",
      );
    },
  },
  {
    name: "append() keeps a record that is appended twice twice",
    needs: [],
    async run(harness) {
      const store = await harness.open();
      await store.append([numbered(1), numbered(1)]);
      await store.append([numbered(1)]);
      await store.close();
      assertNumbers(
        await readNumbers(await harness.open()),
        [1, 1, 1],
        "a store must not drop records that are equal: it keeps bytes and compares none",
      );
    },
  },
];
