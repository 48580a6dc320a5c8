import type { Scenario } from "./scenario.ts";

/** The scenarios in the order in which they run. */
export const SCENARIO_NAMES = [
  "ledger",
  "commit",
  "union",
  "lookup",
  "reopen",
  "size",
  "pipeline",
  "interruption",
  "memory",
] as const;

/** The name of a scenario. */
export type ScenarioName = (typeof SCENARIO_NAMES)[number];

const SCENARIOS: Readonly<Record<ScenarioName, () => Promise<Scenario>>> = {
  ledger: async () => (await import("./scenarios/ledger.ts")).ledger,
  commit: async () => (await import("./scenarios/commit.ts")).commit,
  union: async () => (await import("./scenarios/union.ts")).union,
  lookup: async () => (await import("./scenarios/lookup.ts")).lookup,
  reopen: async () => (await import("./scenarios/reopen.ts")).reopen,
  size: async () => (await import("./scenarios/size.ts")).size,
  pipeline: async () => (await import("./scenarios/pipeline.ts")).throughput,
  interruption: async () => (await import("./scenarios/interruption.ts")).interruption,
  memory: async () => (await import("./scenarios/memory.ts")).memory,
};

/** Loads a scenario, and nothing of the others. */
export function loadScenario(name: ScenarioName): Promise<Scenario> {
  return SCENARIOS[name]();
}
