import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { assertIs, assertNoWarnings, assertNumbers, KILL_IS_NO_DAMAGE } from "./assertions.ts";
import type { CaseHarness, ConformanceCase, Need } from "./case.ts";
import { bytesBelow, grown } from "./growth.ts";
import { range, readNumbers } from "./records.ts";

const NEEDS: readonly Need[] = ["durable", "processes"];
/** When processes are killed in the middle of appends, in milliseconds: a few, since each costs a start. */
const MOMENTS = [0, 3, 11, 29, 70];
/** So large that a process is easily killed while it writes it. */
const LARGE = { count: 20_000, length: 800 };
/** Until a process that writes nothing is killed nevertheless, in milliseconds. */
const LONGEST_WRITE = 2000;

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

/**
 * Kills a process when such a share of a large batch is in its files; at a moment where a store
 * has no files to look at.
 */
async function killWhileWriting(
  harness: CaseHarness,
  share: number,
  moment: number,
): Promise<void> {
  const victim = await harness.start();
  const enough = bytesBelow(harness.directory) + share * LARGE.count * LARGE.length;
  victim.send({ do: "append", start: 0, ...LARGE });
  if (harness.capabilities.files) {
    const end = performance.now() + LONGEST_WRITE;
    const isOver = () => victim.hasAnswered || performance.now() > end;
    await grown(harness.directory, enough, isOver);
  } else {
    await sleep(moment);
  }
  await victim.kill();
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
        assertNumbers(
          (await readNumbers(reader)).toSorted((a, b) => a - b),
          range(0, next),
          "records must be on disk when append() resolves, though its process is killed then",
        );
        await reader.close();
      }
      assertNoWarnings(harness, KILL_IS_NO_DAMAGE);
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
        assertIs(added % 500, 0, "all of a batch of 500 records must be there, or none of it");
        assert.ok(
          added >= acknowledged,
          "records whose append() resolved must be there after a kill; " +
            `found ${added} of ${acknowledged}`,
        );
        before = found.length;
      }
      assertNoWarnings(harness, KILL_IS_NO_DAMAGE);
    },
  },
  {
    name: "append() of a large batch whose process is killed in the middle keeps all or none",
    needs: NEEDS,
    async run(harness) {
      for (const [round, moment] of MOMENTS.entries()) {
        await killWhileWriting(harness, round / MOMENTS.length, moment);
      }
      const found = await readNumbers(await harness.open());
      assertIs(
        found.length % LARGE.count,
        0,
        `all of a batch of ${LARGE.count} records must be there, or none of it`,
      );
      assertNoWarnings(harness, KILL_IS_NO_DAMAGE);
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
      assertNumbers(
        (await next.ask({ do: "read" })).numbers ?? [],
        range(0, 10),
        "records whose append() resolved must be there for the next process after a kill",
      );
      await next.ask({ do: "append", start: 10, count: 10 });
      await next.ask({ do: "close" });
      await next.ends(10_000);
      const found = await readNumbers(await harness.open());
      assertNumbers(
        found.toSorted((a, b) => a - b),
        range(0, 20),
        "a process after one that was killed must append beside what that one left",
      );
    },
  },
];
