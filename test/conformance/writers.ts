import assert from "node:assert/strict";
import { assertIs, assertNoWarnings, assertNumbers } from "./assertions.ts";
import type { ConformanceCase } from "./case.ts";
import { numberedRange, range, readNumbers } from "./records.ts";

const sorted = (numbers: readonly number[]) => numbers.toSorted((a, b) => a - b);

/** What many writers of one checkpoint must be to each other. */
export const writerCases: readonly ConformanceCase[] = [
  {
    name: "writer is another name for each store",
    needs: ["shared"],
    async run(harness) {
      const stores = await Promise.all(range(0, 20).map(() => harness.open()));
      assertIs(
        new Set(stores.map((store) => store.writer)).size,
        20,
        "20 stores that are open at once must have 20 writer names",
      );
      for (const { writer } of stores) {
        assert.match(
          writer,
          /^[A-Za-z0-9._-]+$/,
          `a writer's name must be letters, digits, ".", "_" and "-"; found ${writer}`,
        );
      }
    },
  },
  {
    name: "close() of one handle leaves the others of its process as they were",
    needs: ["shared"],
    async run(harness) {
      const [first, second, reader] = [
        await harness.open(),
        await harness.open(),
        await harness.open(),
      ];
      await first.append(numberedRange(0, 3));
      await second.append(numberedRange(3, 3));
      await first.close();
      await second.append(numberedRange(6, 3));
      const others = "close() of one store must leave those beside it in its process able to ";
      assertNumbers(await readNumbers(second), range(0, 3), `${others}read`);
      assertNumbers(sorted(await readNumbers(reader)), range(0, 9), `${others}append and read`);
      assertNoWarnings(harness);
    },
  },
  {
    name: "read() yields the union of 64 writers",
    needs: ["shared"],
    async run(harness) {
      const writers = await Promise.all(range(0, 64).map(() => harness.open()));
      await Promise.all(writers.map((store, index) => store.append(numberedRange(index * 10, 10))));
      const reader = await harness.open();
      const union = "read() must yield what each of 64 writers has appended";
      assertNumbers(sorted(await readNumbers(reader)), range(0, 640), union);
      await Promise.all(writers.map((store, index) => store.append(numberedRange(640 + index, 1))));
      assertNumbers(sorted(await readNumbers(reader)), range(640, 64), `${union} since`);
      assertNoWarnings(harness);
    },
  },
  {
    name: "open() leaves a writer of another process as it was",
    needs: ["shared", "durable", "processes"],
    async run(harness) {
      const early = await harness.start();
      await early.ask({ do: "append", start: 0, count: 5 });
      const reader = await harness.open();
      assertNumbers(
        await readNumbers(reader),
        range(0, 5),
        "read() must yield what a store in another process has appended",
      );
      const late = await harness.start();
      await late.ask({ do: "append", start: 10, count: 5 });
      await early.ask({ do: "append", start: 5, count: 5 });
      assertNumbers(
        sorted(await readNumbers(reader)),
        range(5, 10),
        "a writer must go on as before when stores in other processes open the checkpoint",
      );
    },
  },
  {
    name: "append() goes on while another handle of its process and another process read",
    needs: ["shared", "durable", "processes"],
    async run(harness) {
      const writer = await harness.start();
      writer.send({ do: "flood", count: 16_000, length: 100, watched: true });
      const reader = await harness.open();
      let found = 0;
      for (let durable = 0; durable < 20 * 16_000; { durable } = writer) {
        await writer.reached(durable + 1);
        ({ durable } = writer);
        found += (await readNumbers(reader)).length;
        assert.ok(
          found >= durable,
          "read() must yield every record whose append() resolved before in another process; " +
            `found ${found} of ${durable}`,
        );
      }
      await writer.kill();
      assertNoWarnings(harness, "of a batch that another process is writing, or was killed in");
    },
  },
  {
    name: "read() of a writer yields all others' records",
    needs: ["shared"],
    async run(harness) {
      const writers = await Promise.all(range(0, 4).map(() => harness.open()));
      await Promise.all(writers.map((store, index) => store.append(numberedRange(index, 1))));
      for (const [index, store] of writers.entries()) {
        assertNumbers(
          sorted(await readNumbers(store)),
          range(0, 4).filter((number) => number !== index),
          "read() must yield all writers' records but its own store's",
        );
      }
    },
  },
];
