import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import type { CaseHarness, ConformanceCase, Need } from "./case.ts";
import { assertNumbers, range, readNumbers } from "./records.ts";

const NEEDS: readonly Need[] = ["durable", "processes"];
/** When processes are killed in the middle of appends, in milliseconds: a few, since each costs a start. */
const MOMENTS = [0, 3, 11, 29, 70];

/** Kills a process that appends batch after batch, and says what it left. */
async function killInFlood(
  harness: CaseHarness,
  batch: { readonly count: number; readonly length: number },
  moment: number,
): Promise<{ readonly acknowledged: number; readonly found: readonly number[] }> {
  const victim = await harness.start();
  victim.send({ do: "flood", ...batch });
  await victim.reached(moment === 0 ? 0 : batch.count);
  await sleep(moment);
  await victim.kill();
  const reader = await harness.open();
  const found = await readNumbers(reader);
  await reader.close();
  return { acknowledged: victim.durable, found };
}

/** What a process that is killed leaves behind. */
export const durabilityCases: readonly ConformanceCase[] = [
  {
    name: "append() that resolved right before its process was killed is there",
    needs: NEEDS,
    async run(harness) {
      let next = 0;
      for (const count of [1, 10, 3000]) {
        const victim = await harness.start();
        await victim.ask({ do: "append", start: next, count });
        await victim.kill();
        next += count;
        const reader = await harness.open();
        assertNumbers((await readNumbers(reader)).toSorted((a, b) => a - b), range(0, next));
        await reader.close();
      }
      assert.deepEqual(harness.warnings, []);
    },
  },
  {
    name: "append() whose process is killed in the middle keeps all of the batch or none",
    needs: NEEDS,
    async run(harness) {
      // One checkpoint for all: the floods number their records alike, so they are told apart
      // by how many of each number there are.
      let before = 0;
      for (const moment of MOMENTS) {
        const { acknowledged, found } = await killInFlood(
          harness,
          { count: 500, length: 200 },
          moment,
        );
        const added = found.length - before;
        assert.equal(added % 500, 0, `a part of a batch is there: ${added % 500} of 500 records`);
        assert.ok(added >= acknowledged, `${added} of ${acknowledged} durable records are there`);
        before = found.length;
      }
      assert.deepEqual(harness.warnings, []);
    },
  },
  {
    name: "append() of a large batch whose process is killed in the middle keeps all or none",
    needs: NEEDS,
    async run(harness) {
      for (const moment of MOMENTS) {
        const victim = await harness.start();
        victim.send({ do: "append", start: 0, count: 20_000, length: 100 });
        await sleep(moment);
        await victim.kill();
      }
      const found = await readNumbers(await harness.open());
      assert.equal(found.length % 20_000, 0, `${found.length % 20_000} of 20,000 are there`);
      assert.deepEqual(harness.warnings, []);
    },
  },
  {
    name: "append() goes on in the next process after one was killed",
    needs: NEEDS,
    async run(harness) {
      const victim = await harness.start();
      await victim.ask({ do: "append", start: 0, count: 10 });
      await victim.kill();
      const next = await harness.start();
      assertNumbers((await next.ask({ do: "read" })).numbers ?? [], range(0, 10));
      await next.ask({ do: "append", start: 10, count: 10 });
      await next.ask({ do: "close" });
      await next.ends(10_000);
      const found = await readNumbers(await harness.open());
      assertNumbers(found.toSorted((a, b) => a - b), range(0, 20));
    },
  },
];
