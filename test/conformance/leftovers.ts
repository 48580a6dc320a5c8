import { assertIs } from "./assertions.ts";
import type { ConformanceCase, Need } from "./case.ts";
import { numberedRange } from "./records.ts";
import type { StoreProcess } from "./store_process.ts";

const NEEDS: readonly Need[] = ["processes"];

async function closed(process: StoreProcess): Promise<void> {
  const { leftovers } = await process.ask({ do: "close" });
  assertIs(leftovers?.files ?? [], [], "close() must close every file of the checkpoint");
  assertIs(leftovers?.processes ?? 0, 0, "close() must end every process that the store started");
}

/** What a store that was closed must not leave behind in its process. */
export const leftoverCases: readonly ConformanceCase[] = [
  {
    name: "close() after all kinds of work leaves no open file and no process",
    needs: NEEDS,
    async run(harness) {
      const other = await harness.open();
      await other.append(numberedRange(0, 5000));
      const process = await harness.start();
      await process.ask({ do: "read" });
      await process.ask({ do: "append", start: 5000, count: 100 });
      await other.append(numberedRange(6000, 10));
      await process.ask({ do: "read" });
      await closed(process);
    },
  },
  {
    name: "close() lets its process end by itself",
    needs: NEEDS,
    async run(harness) {
      const process = await harness.start();
      await process.ask({ do: "append", start: 0, count: 100 });
      await process.ask({ do: "read" });
      await process.ask({ do: "close" });
      await process.ends(10_000);
    },
  },
  {
    name: "close() of a store that did nothing lets its process end by itself",
    needs: NEEDS,
    async run(harness) {
      const process = await harness.start();
      await closed(process);
      await process.ends(10_000);
    },
  },
];
