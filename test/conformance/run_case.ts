import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StoreWarning } from "../../core/host.ts";
import type { CheckpointStore } from "../../core/store.ts";
import type { ConformanceCase, Harness } from "./case.ts";
import { StoreProcess } from "./store_process.ts";

/** How long a case may take before the store counts as hung, in milliseconds. */
export const CASE_DEADLINE = 60_000;

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

/**
 * Runs one case on a checkpoint of its own. Rejects when the store does not conform.
 * @param deadline How long it may take, in milliseconds.
 */
export async function runCase(
  item: ConformanceCase,
  harness: Harness,
  deadline: number = CASE_DEADLINE,
): Promise<void> {
  const parent = await mkdtemp(join(tmpdir(), "tidemark-conformance-"));
  const directory = join(parent, "checkpoint");
  const opened: Promise<CheckpointStore>[] = [];
  const started: Promise<StoreProcess>[] = [];
  const warnings: StoreWarning[] = [];
  // What open() throws is a rejection, whether it is asynchronous or not.
  const openStore = async () =>
    await harness.open(directory, { onWarning: (warning) => void warnings.push(warning) });
  const running = item.run({
    directory,
    capabilities: harness.capabilities,
    warnings,
    open() {
      const store = openStore();
      opened.push(store);
      return store;
    },
    start() {
      const process = StoreProcess.start(harness.module!, directory);
      started.push(process);
      return process;
    },
  });
  try {
    await inTime(running, deadline, "the case");
  } finally {
    const processes = await Promise.allSettled(started);
    for (const found of processes) if (found.status === "fulfilled") await found.value.kill();
    const closed = opened.map(async (store) => await (await store).close());
    try {
      await inTime(Promise.allSettled(closed), deadline, "close()");
    } finally {
      await harness.remove?.(directory);
      await rm(parent, { recursive: true, force: true });
    }
  }
}

async function inTime(step: Promise<unknown>, deadline: number, what: string): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new Error(`${what} did not end within ${deadline / 1000} s`);
    timer = setTimeout(reject, deadline, error);
  });
  try {
    await Promise.race([step, late]);
  } finally {
    clearTimeout(timer);
    step.catch(() => {});
  }
}
