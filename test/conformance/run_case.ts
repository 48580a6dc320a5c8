import { rmSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import type { StoreWarning } from "../../core/host.ts";
import type { CheckpointStore } from "../../core/store.ts";
import type { CaseHarness, ConformanceCase, Harness } from "./case.ts";
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

/** Temporary directories of cases that run, for when the process ends in the middle. */
const inUse = new Set<string>();
process.once("exit", () => {
  for (const directory of inUse) rmSync(directory, { recursive: true, force: true });
});

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
  const parent = await mkdtemp(join(tmpdir(), "tidemark-conformance-"));
  inUse.add(parent);
  // A store must neither need the directory nor take its name for something else than a path.
  const directory = join(parent, "made by open()", "a%20b#c? é'");
  const opened = new Opened();
  const run = async () => {
    await inTime(item.run(caseHarness(harness, directory, opened)), deadline, "the case");
  };
  // How the case went counts more than how its stores were closed.
  const [went, ended] = [
    await settled(run()),
    await settled(inTime(opened.end(), deadline, "close()")),
  ];
  await harness.remove?.(directory);
  await rm(parent, { recursive: true, force: true });
  inUse.delete(parent);
  for (const outcome of [went, ended]) {
    if (outcome.status === "rejected") throw outcome.reason;
  }
}

function caseHarness(harness: Harness, directory: string, opened: Opened): CaseHarness {
  const warnings: StoreWarning[] = [];
  // What open() throws is a rejection, whether it is asynchronous or not.
  const open = async () => {
    const store = await harness.open(directory, {
      onWarning: (warning) => void warnings.push(warning),
    });
    if (typeof store?.append !== "function") throw new TypeError("open() gave no store");
    return store;
  };
  return {
    directory,
    capabilities: harness.capabilities,
    warnings,
    open() {
      const store = open();
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
