import type { StoreWarning } from "../../core/host.ts";
import type { CheckpointStore } from "../../core/store.ts";
import type { CaseHarness, ConformanceCase, Harness } from "./case.ts";
import { CASE_DEADLINE, inTime } from "./deadline.ts";
import { openStoreOf } from "./open_once.ts";
import { StoreProcess } from "./store_process.ts";
import { TemporaryCheckpoints } from "./temporary_checkpoints.ts";

/** Why a store is spared a case; undefined when it is not. */
export function skipReason(item: ConformanceCase, harness: Harness): string | undefined {
  const { name, capabilities, module } = harness;
  for (const need of item.needs) {
    if (need === "processes") {
      if (module === undefined) {
        return `the harness of ${name} names no module from which another process could open it`;
      }
    } else if (!capabilities[need]) {
      return need === "files"
        ? `the ${name} store keeps no files of each writer's own`
        : `the ${name} store is not ${need}`;
    }
  }
  return undefined;
}

/** What a case opened and started, and the end of it. */
class Opened {
  readonly stores: Promise<CheckpointStore>[] = [];
  readonly processes: StoreProcess[] = [];

  async end(): Promise<void> {
    await Promise.all(this.processes.map((process) => process.kill()));
    const closed = this.stores.map(async (store) => await (await store).close());
    await Promise.allSettled(closed);
  }
}

/**
 * Runs one case on a checkpoint of its own. Rejects when the store does not conform.
 * @param deadline How long it may take, in milliseconds.
 */
export async function runCase(
  item: ConformanceCase,
  harness: Harness,
  deadline: number = CASE_DEADLINE,
): Promise<void> {
  await using checkpoints = await TemporaryCheckpoints.create(harness);
  const opened = new Opened();
  const run = async () => {
    await inTime(item.run(caseHarness(harness, checkpoints, opened)), deadline, "the case");
  };
  // How the case went counts more than how its stores were closed.
  const [went, ended] = [
    await settled(run()),
    await settled(inTime(opened.end(), deadline, "close()")),
  ];
  for (const outcome of [went, ended]) {
    if (outcome.status === "rejected") throw outcome.reason;
  }
}

function caseHarness(
  harness: Harness,
  checkpoints: TemporaryCheckpoints,
  opened: Opened,
): CaseHarness {
  const directory = checkpoints.another();
  const warnings: StoreWarning[] = [];
  return {
    directory,
    capabilities: harness.capabilities,
    warnings,
    another: () => checkpoints.another(),
    open() {
      const store = openStoreOf(harness, directory, {
        onWarning: (warning) => void warnings.push(warning),
      });
      opened.stores.push(store);
      return store;
    },
    async start() {
      const process = StoreProcess.start(harness.module!, directory);
      opened.processes.push(process);
      await process.opened();
      return process;
    },
  };
}

async function settled(step: Promise<unknown>): Promise<PromiseSettledResult<unknown>> {
  const [outcome] = await Promise.allSettled([step]);
  return outcome;
}
