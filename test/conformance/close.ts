import { assertIs, assertNoWarnings, assertNumbers, assertRefused } from "./assertions.ts";
import type { ConformanceCase } from "./case.ts";
import { numbered, numberedRange, range, readNumbers } from "./records.ts";

/** What `close()` must do. */
export const closeCases: readonly ConformanceCase[] = [
  {
    name: "close() twice is one close()",
    needs: [],
    async run(harness) {
      const store = await harness.open();
      await store.append([numbered(1)]);
      await Promise.all([store.close(), store.close()]);
      await store.close();
      await store[Symbol.asyncDispose]();
      assertNumbers(
        await readNumbers(await harness.open()),
        [1],
        "close() again and again must resolve and keep what was appended",
      );
    },
  },
  {
    name: "disposing of a store closes it",
    needs: [],
    async run(harness) {
      const store = await harness.open();
      await store[Symbol.asyncDispose]();
      await assertRefused(
        "[Symbol.asyncDispose]() must close the store: append()",
        store.append([numbered(1)]),
      );
    },
  },
  {
    name: "close() of a store that did nothing leaves nothing to read",
    needs: [],
    async run(harness) {
      await (await harness.open()).close();
      assertNumbers(
        await readNumbers(await harness.open()),
        [],
        "a store that was opened and closed must leave no record",
      );
      assertNoWarnings(harness, "of what a store that did nothing left behind");
    },
  },
  {
    name: "close() waits for an append that is on its way",
    needs: [],
    async run(harness) {
      const store = await harness.open();
      const appending = store.append(numberedRange(0, 1000));
      await Promise.all([store.close(), appending]);
      assertNumbers(
        await readNumbers(await harness.open()),
        range(0, 1000),
        "close() must wait for an append() that was called before it",
      );
    },
  },
  {
    name: "read() that has begun is refused after close()",
    needs: [],
    async run(harness) {
      const writer = await harness.open();
      await writer.append(numberedRange(0, 20_000));
      await writer.close();
      const store = await harness.open();
      const iterator = store.read()[Symbol.asyncIterator]();
      const first = await iterator.next();
      assertIs(first.done, false, "read() must yield what another writer appended");
      await store.close();
      await assertRefused("next() of a read() that had begun", iterator.next());
      const last = await iterator.next();
      assertIs(last.done, true, "a read() that was refused after close() must be at its end");
    },
  },
];
