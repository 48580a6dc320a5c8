import assert from "node:assert/strict";
import type { CheckpointStore } from "../../core/store.ts";
import { assertIs, assertRefused } from "./assertions.ts";
import type { CaseHarness, ConformanceCase } from "./case.ts";
import { numbered, numberedRange, readNumbers } from "./records.ts";

/** Every operation of a store, as it is called in a message, and what it must do when it may. */
const OPERATIONS: Readonly<Record<string, (store: CheckpointStore) => Promise<unknown>>> = {
  "append()": (store) => store.append([numbered(1)]),
  "append() of nothing": (store) => store.append([]),
  "read()": (store) => readNumbers(store),
  "manifest()": (store) => store.manifest("text"),
};

/** The states in which a store may be, and whether it may still be used then. */
const TRAITS: readonly {
  readonly when: string;
  readonly usable: boolean;
  readonly prepare: (harness: CaseHarness) => Promise<CheckpointStore>;
}[] = [
  { when: "of a store that was just opened works", usable: true, prepare: (h) => h.open() },
  {
    when: "of a store that was used works",
    usable: true,
    async prepare(harness) {
      const store = await harness.open();
      await store.manifest("text");
      await store.append(numberedRange(10, 2));
      await readNumbers(store);
      return store;
    },
  },
  {
    when: "after close() is refused",
    usable: false,
    async prepare(harness) {
      const store = await harness.open();
      await store.append([numbered(9)]);
      await store.close();
      return store;
    },
  },
  {
    when: "after close() twice is refused",
    usable: false,
    async prepare(harness) {
      const store = await harness.open();
      await Promise.all([store.close(), store.close()]);
      await store[Symbol.asyncDispose]();
      return store;
    },
  },
  {
    when: "after reopening works",
    usable: true,
    async prepare(harness) {
      const store = await harness.open();
      await store.append(numberedRange(10, 2));
      await store.close();
      return await harness.open();
    },
  },
];

const descriptionCase: ConformanceCase = {
  name: "a store says where it is and what it can do, as its harness does",
  needs: [],
  async run(harness) {
    const { capabilities, location } = await harness.open();
    assertIs(
      { ...capabilities },
      { ...harness.capabilities },
      "a store must state the capabilities that its harness states",
    );
    assert.ok(
      typeof location === "string" && location !== "",
      "location must be a text that tells the user which checkpoint this is, such as its directory",
    );
  },
};

/** Every operation in every state of a store's life. */
export const lifecycleCases: readonly ConformanceCase[] = [
  descriptionCase,
  ...Object.entries(OPERATIONS).flatMap((
    [operation, call],
  ) =>
    TRAITS.map(({ when, usable, prepare }): ConformanceCase => ({
      name: `${operation} ${when}`,
      needs: [],
      async run(harness) {
        const store = await prepare(harness);
        if (usable) await call(store);
        else await assertRefused(operation, call(store));
      },
    }))
  ),
];
