import assert from "node:assert/strict";
import { assertIs, assertNoWarnings, assertNumbers } from "./assertions.ts";
import type { ConformanceCase } from "./case.ts";
import { range, readNumbers } from "./records.ts";

/** How long processes race again and again, in milliseconds: a single race shows hardly anything. */
const RACING = 1000;
/** Until all have been told of a race and opened its checkpoint, in milliseconds. */
const HEAD_START = 4;
/** How often its text is repeated in a manifest: so often that it is not written at once. */
const TIMES = 200_000;

const FIRST_STANDS = "manifest() must give the manifest that stands, whatever is proposed later";
const ONE_FOR_ALL = "all who propose a manifest at once must be given the same one";
const AS_IT_IS = "manifest() must keep a text character by character";

/** What `manifest()` must do. */
export const manifestCases: readonly ConformanceCase[] = [
  {
    name: "manifest() keeps the first proposal",
    needs: [],
    async run(harness) {
      const first = await harness.open();
      assertIs(await first.manifest("one"), "one", "manifest() must keep the first proposal");
      assertIs(await first.manifest("two"), "one", FIRST_STANDS);
      await first.close();
      const second = await harness.open();
      assertIs(await second.manifest("three"), "one", FIRST_STANDS);
    },
  },
  {
    name: "manifest() is the same for all who race for it",
    needs: ["shared"],
    async run(harness) {
      const stores = await Promise.all(range(0, 16).map(() => harness.open()));
      const standing = await Promise.all(stores.map((store, index) => store.manifest(`m${index}`)));
      assertIs(new Set(standing).size, 1, `${ONE_FOR_ALL}, not ${standing.join()}`);
      assert.match(standing[0]!, /^m\d+$/, "the manifest must be one of those proposed");
    },
  },
  {
    name: "manifest() is the same for processes that race for it",
    needs: ["shared", "durable", "processes"],
    async run(harness) {
      const processes = await Promise.all(range(0, 3).map(() => harness.start()));
      const end = performance.now() + RACING;
      while (performance.now() < end) {
        const checkpoint = harness.another();
        const at = performance.timeOrigin + performance.now() + HEAD_START;
        const standing = await Promise.all(processes.map(async (process, index) => {
          const text = `m${index} `;
          return (await process.ask({ do: "race", checkpoint, text, times: TIMES, at })).manifest;
        }));
        assertIs(
          standing,
          standing.map(() => standing.find((text) => /^m\d $/.test(text!))),
          `${ONE_FOR_ALL}, and whole: nobody may see it before all of it is written`,
        );
      }
    },
  },
  {
    name: "manifest() that resolved right before its process was killed stands",
    needs: ["durable", "processes"],
    async run(harness) {
      const victim = await harness.start();
      const { manifest } = await victim.ask({ do: "manifest", text: "one" });
      assertIs(manifest, "one", "manifest() must keep the first proposal");
      await victim.kill();
      assertIs(
        await (await harness.open()).manifest("two"),
        "one",
        "a manifest must be on disk when manifest() resolves, though its process is killed then",
      );
    },
  },
  {
    name: "manifest() keeps any text as it is",
    needs: [],
    async run(harness) {
      const text = `{"é":"\u{1f30a}\\u0000"}\r\n${"x".repeat(100_000)}`;
      const store = await harness.open();
      assertIs(await store.manifest(text), text, AS_IT_IS);
      await store.close();
      assertIs(await (await harness.open()).manifest("other"), text, AS_IT_IS);
    },
  },
  {
    name: "manifest() is no record",
    needs: [],
    async run(harness) {
      const store = await harness.open();
      await store.manifest("text");
      await store.close();
      assertNumbers(
        await readNumbers(await harness.open()),
        [],
        "read() must not yield the manifest: it is no record",
      );
      assertNoWarnings(harness, "of the manifest when it reads");
    },
  },
];
