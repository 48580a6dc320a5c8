import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StoreWarning } from "../../core/host.ts";
import type { CheckpointStore } from "../../core/store.ts";
import { cases as allCases } from "./cases.ts";
import type { ConformanceCase, Harness } from "./case.ts";

/** How one case went. */
export interface CaseResult {
  readonly name: string;
  readonly outcome: "passed" | "failed" | "skipped";
  /** Why it was skipped. */
  readonly reason?: string;
  /** Why it failed. */
  readonly error?: unknown;
  /** How long it took, in milliseconds. */
  readonly duration: number;
}

/** How a store did. */
export interface ConformanceReport {
  readonly store: string;
  /** No case failed. */
  readonly ok: boolean;
  readonly results: readonly CaseResult[];
}

/** Why a store is spared a case; undefined when it is not. */
export function skipReason(item: ConformanceCase, harness: Harness): string | undefined {
  const { name, capabilities, module } = harness;
  for (const need of item.needs) {
    if (need !== "processes") {
      if (!capabilities[need]) return `the ${name} store is not ${need}`;
    } else if (module === undefined) {
      return `the harness of ${name} names no module from which another process could open it`;
    }
  }
  return undefined;
}

/** Runs one case on a checkpoint of its own. Rejects when the store does not conform. */
export async function runCase(item: ConformanceCase, harness: Harness): Promise<void> {
  const parent = await mkdtemp(join(tmpdir(), "tidemark-conformance-"));
  const directory = join(parent, "checkpoint");
  const opened: CheckpointStore[] = [];
  const warnings: StoreWarning[] = [];
  try {
    await item.run({
      directory,
      capabilities: harness.capabilities,
      warnings,
      async open() {
        const store = await harness.open(directory, {
          onWarning: (warning) => void warnings.push(warning),
        });
        opened.push(store);
        return store;
      },
    });
  } finally {
    await Promise.allSettled(opened.map((store) => store.close()));
    await rm(parent, { recursive: true, force: true });
  }
}

async function resultOf(item: ConformanceCase, harness: Harness): Promise<CaseResult> {
  const { name } = item;
  const reason = skipReason(item, harness);
  if (reason !== undefined) return { name, outcome: "skipped", reason, duration: 0 };
  const start = performance.now();
  try {
    await runCase(item, harness);
    return { name, outcome: "passed", duration: performance.now() - start };
  } catch (error) {
    return { name, outcome: "failed", error, duration: performance.now() - start };
  }
}

/** Runs the suite, or some cases of it, one after another. */
export async function validateStore(
  harness: Harness,
  cases: readonly ConformanceCase[] = allCases,
): Promise<ConformanceReport> {
  const results: CaseResult[] = [];
  for (const item of cases) results.push(await resultOf(item, harness));
  return {
    store: harness.name,
    ok: results.every(({ outcome }) => outcome !== "failed"),
    results,
  };
}
