import assert from "node:assert/strict";
import type { ConformanceCase } from "./case.ts";
import { assertNumbers, numbered, numberedRange, range, readNumbers } from "./records.ts";

const CLOSED = { code: "STORE_CLOSED" };

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
      assertNumbers(await readNumbers(await harness.open()), [1]);
    },
  },
  {
    name: "disposing of a store closes it",
    needs: [],
    async run(harness) {
      const store = await harness.open();
      await store[Symbol.asyncDispose]();
      await assert.rejects(store.append([numbered(1)]), CLOSED);
    },
  },
  {
    name: "close() of a store that did nothing leaves nothing to read",
    needs: [],
    async run(harness) {
      await (await harness.open()).close();
      assertNumbers(await readNumbers(await harness.open()), []);
      assert.deepEqual(harness.warnings, []);
    },
  },
  {
    name: "close() waits for an append that is on its way",
    needs: [],
    async run(harness) {
      const store = await harness.open();
      const appending = store.append(numberedRange(0, 1000));
      await Promise.all([store.close(), appending]);
      assertNumbers(await readNumbers(await harness.open()), range(0, 1000));
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
      assert.equal((await iterator.next()).done, false);
      await store.close();
      await assert.rejects(iterator.next(), CLOSED);
      assert.equal((await iterator.next()).done, true);
    },
  },
];
