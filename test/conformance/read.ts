import assert from "node:assert/strict";
import { assertIs, assertNoWarnings, assertNumbers } from "./assertions.ts";
import type { ConformanceCase } from "./case.ts";
import { numbered, numberedRange, numberOf, range, readNumbers } from "./records.ts";

const NOT_ITS_OWN = "read() must leave out what this store has appended itself";
const ONCE = "read() again must not yield what it has yielded before";

/** What `read()` must do. */
export const readCases: readonly ConformanceCase[] = [
  {
    name: "read() of a new checkpoint yields nothing",
    needs: [],
    async run(harness) {
      const store = await harness.open();
      assertNumbers(await readNumbers(store), [], "a new checkpoint must hold no record");
      assertNoWarnings(harness, "of a new checkpoint");
    },
  },
  {
    name: "read() leaves out this store's own appends",
    needs: [],
    async run(harness) {
      const store = await harness.open();
      await store.append(numberedRange(0, 10));
      assertNumbers(await readNumbers(store), [], NOT_ITS_OWN);
      await store.append(numberedRange(10, 10));
      assertNumbers(await readNumbers(store), [], NOT_ITS_OWN);
    },
  },
  {
    name: "read() yields what was there before once",
    needs: [],
    async run(harness) {
      const first = await harness.open();
      await first.append(numberedRange(0, 10));
      await first.close();
      const second = await harness.open();
      assertNumbers(
        await readNumbers(second),
        range(0, 10),
        "the first read() must yield all that earlier stores appended",
      );
      assertNumbers(await readNumbers(second), [], ONCE);
    },
  },
  {
    name: "read() yields what others have added since",
    needs: ["shared"],
    async run(harness) {
      const reader = await harness.open();
      const writer = await harness.open();
      assertNumbers(await readNumbers(reader), [], "a new checkpoint must hold no record");
      for (let start = 0; start < 2000; start += 100) {
        await writer.append(numberedRange(start, 100));
        assertNumbers(
          await readNumbers(reader),
          range(start, 100),
          "read() again must yield just what another writer has appended since",
        );
      }
      await writer.close();
      assertNumbers(await readNumbers(reader), [], ONCE);
      assertNoWarnings(harness);
    },
  },
  {
    name: "read() yields large checkpoints in batches",
    needs: [],
    async run(harness) {
      const writer = await harness.open();
      await writer.append(numberedRange(0, 20_000, 80));
      await writer.close();
      const sizes: number[] = [];
      for await (const { records } of (await harness.open()).read()) sizes.push(records.length);
      assert.ok(
        sizes.length > 1 && Math.max(...sizes) <= 10_000,
        "read() must yield 20,000 records that were appended at once in batches of at most 10,000; " +
          `found batches of ${sizes.join(", ") || "nothing"}`,
      );
    },
  },
  {
    name: "read() says where each batch comes from",
    needs: ["shared"],
    async run(harness) {
      const [first, second] = [await harness.open(), await harness.open()];
      await first.append([numbered(1)]);
      await second.append([numbered(2)]);
      const origins = new Set<string>();
      for await (const { origin } of (await harness.open()).read()) origins.add(origin);
      assertIs(origins.size, 2, "batches of two writers must have two origins");
      assert.ok(
        [...origins].some((origin) => origin.includes(first.writer)),
        `a batch's origin must hold its writer's name, ${first.writer}; found ${
          [...origins].join(", ")
        }`,
      );
    },
  },
  {
    name: "read() yields records that may be kept",
    needs: ["shared"],
    async run(harness) {
      const writer = await harness.open();
      const reader = await harness.open();
      await writer.append(numberedRange(0, 5000));
      const kept: Uint8Array[] = [];
      for await (const { records } of reader.read()) kept.push(...records);
      await writer.append(numberedRange(5000, 5000));
      for await (const { records } of reader.read()) kept.push(...records);
      await reader.close();
      assertNumbers(
        kept.map(numberOf),
        range(0, 10_000),
        "records that read() yielded may be kept: a later read() must not write over their bytes",
      );
    },
  },
  {
    name: "read() can be abandoned and taken up again",
    needs: [],
    async run(harness) {
      const writer = await harness.open();
      await writer.append(numberedRange(0, 30_000));
      await writer.close();
      const reader = await harness.open();
      const seen = new Set<number>();
      for await (const { records } of reader.read()) {
        for (const record of records) seen.add(numberOf(record));
        break;
      }
      assert.ok(
        seen.size > 0 && seen.size < 30_000,
        "the first batch of a read() must hold some of 30,000 records and not all of them; " +
          `it holds ${seen.size}`,
      );
      for (const number of await readNumbers(reader)) seen.add(number);
      assertIs(seen.size, 30_000, "what an abandoned read() did not yield must come next time");
    },
  },
  {
    name: "read() that is abandoned again and again comes to every writer",
    needs: [],
    async run(harness) {
      for (let writer = 0; writer < 5; writer++) {
        const store = await harness.open();
        await store.append(numberedRange(writer * 10, 10));
        await store.close();
      }
      const reader = await harness.open();
      const seen = new Set<number>();
      for (let time = 0; time < 10; time++) {
        for await (const { records } of reader.read()) {
          for (const record of records) seen.add(numberOf(record));
          break;
        }
      }
      assertIs(
        seen.size,
        50,
        "reads that are abandoned after a batch each must come to all of five writers' records",
      );
    },
  },
  {
    name: "read() goes on while others append",
    needs: ["shared"],
    async run(harness) {
      const writer = await harness.open();
      const reader = await harness.open();
      let durable = 0;
      const appending = (async () => {
        for (let start = 0; start < 4000; start += 20) {
          await writer.append(numberedRange(start, 20));
          durable = start + 20;
        }
      })();
      // When the case fails first, its store is closed in the middle of this.
      appending.catch(() => {});
      const seen: number[] = [];
      while (durable < 4000) {
        const before = durable;
        seen.push(...(await readNumbers(reader)));
        assert.ok(
          seen.length >= before,
          "read() must yield every record whose append() resolved before; " +
            `found ${seen.length} of ${before}`,
        );
        assertIs(seen.length % 20, 0, "read() must see all of a batch of 20 or none of it");
        await new Promise((done) => setTimeout(done, 1));
      }
      await appending;
      seen.push(...(await readNumbers(reader)));
      assertNumbers(
        seen,
        range(0, 4000),
        "reads while another writer appends must yield each record once, in its order",
      );
      assertNoWarnings(harness, "of a batch that is just being written");
    },
  },
];
