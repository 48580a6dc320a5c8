import assert from "node:assert/strict";
import type { ConformanceCase } from "./case.ts";
import { assertNumbers, range, readNumbers } from "./records.ts";

/** What `manifest()` must do. */
export const manifestCases: readonly ConformanceCase[] = [
  {
    name: "manifest() keeps the first proposal",
    needs: [],
    async run(harness) {
      const first = await harness.open();
      assert.equal(await first.manifest("one"), "one");
      assert.equal(await first.manifest("two"), "one");
      await first.close();
      const second = await harness.open();
      assert.equal(await second.manifest("three"), "one");
    },
  },
  {
    name: "manifest() is the same for all who race for it",
    needs: ["shared"],
    async run(harness) {
      const stores = await Promise.all(range(0, 16).map(() => harness.open()));
      const standing = await Promise.all(stores.map((store, index) => store.manifest(`m${index}`)));
      assert.equal(new Set(standing).size, 1, standing.join());
      assert.match(standing[0]!, /^m\d+$/);
    },
  },
  {
    name: "manifest() is the same for processes that race for it",
    needs: ["shared", "durable", "processes"],
    async run(harness) {
      const processes = await Promise.all(range(0, 3).map(() => harness.start()));
      const standing = await Promise.all(
        processes.map((process, index) => process.ask({ do: "manifest", text: `m${index}` })),
      );
      assert.equal(new Set(standing.map(({ manifest }) => manifest)).size, 1);
    },
  },
  {
    name: "manifest() that resolved right before its process was killed stands",
    needs: ["durable", "processes"],
    async run(harness) {
      const victim = await harness.start();
      assert.equal((await victim.ask({ do: "manifest", text: "one" })).manifest, "one");
      await victim.kill();
      assert.equal(await (await harness.open()).manifest("two"), "one");
    },
  },
  {
    name: "manifest() keeps any text as it is",
    needs: [],
    async run(harness) {
      const text = `{"é":"\u{1f30a}\\u0000"}\r\n${"x".repeat(100_000)}`;
      const store = await harness.open();
      assert.equal(await store.manifest(text), text);
      await store.close();
      assert.equal(await (await harness.open()).manifest("other"), text);
    },
  },
  {
    name: "manifest() is no record",
    needs: [],
    async run(harness) {
      const store = await harness.open();
      await store.manifest("text");
      await store.close();
      assertNumbers(await readNumbers(await harness.open()), []);
      assert.deepEqual(harness.warnings, []);
    },
  },
];
